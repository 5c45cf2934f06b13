"""The short form of the check that kills trainings."""
import re

from tool_process import run_tool


def test_a_killed_training_does_not_notice():
    finished = run_tool('check_resume', '--kills', '3', '--stops', '1',
                        '--epochs', '3', '--workers', '0', '2')
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = finished.stdout.splitlines()
    assert '3 epochs, 21 iterations, 3 evaluations' in lines[-8]
    assert re.search(
        r'^SIGKILL: 3, 1 of them while checkpoints were written, \d with an '
        'incomplete file; SIGTERM: 1; ', lines[-6])
    assert [line.rpartition(': ')[2] for line in lines[-5:]] == ['yes'] * 5
