"""compare_trainings.py from work dirs to table and plot."""
from training_logs import training_line, write_start, write_training

from hourglass_plugin.resources import config_path
from hourglass_plugin.visualization import read_image

HG1 = config_path('td-hm_hg1-w128_1xb16-12e_lspet-128x128.py')
REAL = f'_base_ = [{HG1!r}]'
UNKNOWN = ('model = dict(type="Mine", backbone=dict(), head=dict(decoder=dict('
           'input_size=(64, 64))))')


def test_table_picture_and_the_rest(call_tool, tmp_path, capsys):
    for seed, score in enumerate((50.0, 54.0)):
        write_training(
            tmp_path / 'real' / str(seed), score, seed=seed, more=REAL)
    write_training(tmp_path / 'mine', 60.0, more=UNKNOWN, name='mine')
    write_training(tmp_path / 'boxes', 9.0, more='model = dict()',
                   name='boxes')
    cut = write_start(tmp_path / 'cut', [training_line(1, 10)])
    out = tmp_path / 'new' / 'out'
    call_tool('compare_trainings', tmp_path, '--out', out)
    printed = capsys.readouterr().out
    assert printed == (out / 'runs.md').read_text()
    # Parameters and MACs as configs/lsp/metafile.yml has them.
    assert [line for line in printed.splitlines() if line.startswith('| `')
            ] == [
        '| `mine` | 0 | 2 | 60.0 | 30.0 | - | - | 1.0 |',
        '| `net` | 0, 1 | 2 | 52.0 (50.0 to 54.0) | 26.0 (25.0 to 27.0) | '
        '0.87 M | 0.33 G | 1.0 |',
        '| `boxes` | 0 | 2 | 9.0 | 4.5 | - | - | 1.0 |']
    assert str(cut) in printed
    assert read_image(out / 'runs.png').shape[1] == 1500


def test_chosen_scores_and_errors(call_tool, error_of, tmp_path, capsys):
    arguments = ('compare_trainings', tmp_path, '--out', tmp_path / 'out')
    assert str(tmp_path) in error_of(*arguments)  # no training
    write_training(tmp_path / 'a', 60.0, more='model = dict()')
    assert 'lsp/PCK@0.2' in error_of(*arguments, '--metric', 'lsp/PCK')
    assert not (tmp_path / 'out').exists()
    call_tool(*arguments, '--metric', 'lsp/PCK@0.2/Wrist', 'lsp/PCK@0.2')
    printed = capsys.readouterr().out
    assert '| PCK@0.2/Wrist | PCK@0.2 | parameters' in printed
    assert '| `net` | 0 | 2 | 59.0 | 60.0 |' in printed
