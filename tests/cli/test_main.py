"""The command hourglass."""
import subprocess
import sys

import pytest

from hourglass_plugin.cli import main


def hourglass(*arguments):
    return subprocess.run(
        [sys.executable, '-X', 'importtime', '-m', 'hourglass_plugin',
         *arguments], capture_output=True, text=True)


@pytest.mark.parametrize('command', [None, 'init', 'train', 'export'])
def test_help_answers_without_torch(command):
    finished = hourglass(*filter(None, [command]), '--help')
    assert finished.returncode == 0
    assert 'usage: hourglass' in finished.stdout
    assert not {'torch', 'mmengine', 'cv2'} & {
        line.split('|')[-1].strip() for line in finished.stderr.splitlines()}


@pytest.mark.parametrize('command', list(main.COMMANDS))
def test_every_command_parses(command, capsys):
    with pytest.raises(SystemExit) as end:
        main.main([command, '--help'])
    assert end.value.code == 0 and capsys.readouterr().out


def test_errors_are_one_line(tmp_path):
    finished = hourglass('init', str(tmp_path / 'none.csv'), '--out',
                         str(tmp_path / 'out'))
    lines = [line for line in finished.stderr.splitlines()
             if not line.startswith('import time')]
    assert finished.returncode == 1 and len(lines) == 1
    assert 'none.csv' in lines[0]
