"""What quickstart.sh ends with: the table and the promised score."""
import json

import pytest


@pytest.fixture
def files(tmp_path):
    """A config that promises 50 percent, and a file for the scores."""
    config = tmp_path / 'config.py'
    config.write_text("expected_results = {'mpii/PCKh@0.5': 50.0}\n")
    return config, tmp_path / 'scores.json'


@pytest.mark.parametrize('mean, status', [(50.0, 0), (49.9, 1),
                                          (float('nan'), 1)])
def test_exit_status_says_whether_the_promise_is_kept(call_tool, files, mean,
                                                      status, capsys):
    files[1].write_text(
        json.dumps({
            'mpii/PCKh@0.5': mean,
            'mpii/PCKh@0.5/Head': 80.25,
            'mpii/PCKh@0.5/Ankle': 20.0
        }))
    with pytest.raises(SystemExit) as stopped:
        call_tool('check_scores', *files)
    assert int(stopped.value.code) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['Head', 'Ankle', 'Mean']
    assert lines[1].split() == ['mpii/PCKh@0.5', '80.25', '20.00',
                                '-' if mean != mean else f'{mean:.2f}']
    assert ('BELOW the 50.0' in lines[2]) == bool(status)


def test_a_promise_without_a_score_is_an_error(error_of, files):
    files[1].write_text(json.dumps({'lsp/PCK@0.2': 60.0}))
    message = error_of('check_scores', *files)
    assert "no score 'mpii/PCKh@0.5'" in message
    assert 'lsp/PCK@0.2' in message
