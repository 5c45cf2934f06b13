"""The promised score: exit status and one line."""
import json

import pytest


@pytest.mark.parametrize('promise, mean, status', [
    ("{'mpii/PCKh@0.5': 50.0}", 50.0, 0),
    ("{'mpii/PCKh@0.5': 50.0}", 49.9, 1),
    ("{'mpii/PCKh@0.5': 50.0}", float('nan'), 1),
    # No score to the promise, no promise.
    ("{'lsp/PCK@0.2': 60.0}", 60.0, 'scores.json'),
    ('{}', 60.0, 'config.py')])
def test_exit_status_says_whether_the_promise_is_kept(
        promise, mean, status, call_tool, error_of, tmp_path, capsys):
    config, scores = tmp_path / 'config.py', tmp_path / 'scores.json'
    config.write_text(f'expected_results = {promise}\n')
    scores.write_text(json.dumps({'mpii/PCKh@0.5': mean}))
    if isinstance(status, str):
        assert status in error_of('check_scores', config, scores)
        return
    found = 0
    try:
        call_tool('check_scores', config, scores)
    except SystemExit as stopped:
        found = int(stopped.code)
    assert found == status
    [line] = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == ['mpii/PCKh@0.5', f'{mean:.2f}']
    assert ('BELOW' in line) == bool(status)
