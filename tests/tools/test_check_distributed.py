"""The short form of the check that compares numbers of processes."""
import re

from tool_process import run_tool


def test_processes_make_no_difference_and_may_die():
    finished = run_tool('check_distributed', '--trainings', '1')
    assert finished.returncode == 0, finished.stdout + finished.stderr
    _, losses, *lines, seconds = finished.stdout.splitlines()
    difference, = re.findall(
        r'^25 people, 1 in the last batch: (\S+), at most 1e-05: yes$', losses)
    # Equal to the last bit they would not have been computed in parts.
    assert 0 < float(difference) <= 1e-5
    assert [line.partition(': ')[0] for line in lines] == [
        'scores and predictions of 7 people equal to the bit',
        'scores and predictions of 5 people equal to the bit',
        'tools/dist_train.sh, a process killed, seconds until all had ended',
        'tools/dist_train.sh on two machines, a process killed, seconds until '
        'all had ended',
        'a line says what happened and how to go on',
        'resumed by tools/dist_train.sh on two machines and by '
        'tools/slurm_train.sh, bit-equal to an undisturbed training',
    ]
    assert [lines[index].rpartition(': ')[2]
            for index in (0, 1, 4, 5)] == ['yes'] * 4
    assert re.fullmatch(r'\d+ s in all', seconds)
