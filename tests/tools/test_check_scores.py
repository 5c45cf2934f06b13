"""The promised score: exit status and one line."""
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
    files[1].write_text(json.dumps({'mpii/PCKh@0.5': mean}))
    try:
        call_tool('check_scores', *files)
        found = 0
    except SystemExit as stopped:
        found = int(stopped.code)
    assert found == status
    [line] = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == ['mpii/PCKh@0.5', f'{mean:.2f}']
    assert ('BELOW' in line) == bool(status)


@pytest.mark.parametrize('promise, named', [
    ("{'lsp/PCK@0.2': 60.0}", 'scores.json'), ('{}', 'config.py')])
def test_a_promise_without_a_score_is_an_error(error_of, files, promise,
                                               named):
    files[0].write_text(f'expected_results = {promise}\n')
    files[1].write_text(json.dumps({'mpii/PCKh@0.5': 60.0}))
    assert named in error_of('check_scores', *files)
