"""The short form of the check that kills trainings."""
import re

from tool_process import run_tool


def test_a_killed_training_does_not_notice():
    finished = run_tool('check_resume', '--kills', '4', '--stops', '1',
                        '--epochs', '2', '--workers', '0', '2')
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = finished.stdout.splitlines()
    assert '2 epochs, 14 iterations, 2 evaluations' in lines[-8]
    assert re.search('^SIGKILL: 4, 2 of them while a checkpoint was written; '
                     'SIGTERM: 1; ', lines[-6])
    assert [line.rpartition(': ')[2] for line in lines[-5:]] == ['yes'] * 5
