"""Work dirs as mmengine's runner leaves them, written by hand."""
import json


def training_line(epoch, iteration, time=1.0):
    """A line of the log; seconds an iteration since the line before."""
    return dict(lr=0.1, loss=0.5, time=time, epoch=epoch, iter=iteration,
                step=iteration)


def validation_line(step, score, **more):
    """A line of scores: PCK of two joints, their mean, and the area."""
    pck = 'lsp/PCK@0.2'
    return {
        pck: score, f'{pck}/Head': score + 1, f'{pck}/Wrist': score - 1,
        f'{pck}/visible': score + 2, f'{pck}/visible/Head': score + 2,
        'lsp/AUC': score / 2, 'lsp/AUC/Head': score / 2,
        **more, 'time': 9.0, 'step': step}


def config_text(seed=0, epochs=2, more=''):
    """The least that a config has."""
    return (f'train_cfg = dict(max_epochs={epochs})\n'
            f'randomness = dict(seed={seed})\n{more}\n')


def write_start(work_dir, lines, config=None, time='20260101_000000',
                name='net'):
    """One start of a runner; ``config`` is the config's text."""
    config = config or config_text()
    folder = work_dir / time / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'config.py').write_text(config)
    (work_dir / f'{name}.py').write_text(config)
    if lines is not None:
        (folder / 'scalars.json').write_text(''.join(
            line if isinstance(line, str) else json.dumps(line) + '\n'
            for line in lines))
    return work_dir


def write_training(work_dir, last, seed=0, more='', **options):
    """A finished training of two epochs, 10 iterations each.

    Its scores are 10 and ``last``; it takes 10 * 2 + 10 * 4 seconds.
    """
    return write_start(work_dir, [
        training_line(1, 10, time=2.0), validation_line(10, 10.0),
        training_line(2, 20, time=4.0), validation_line(20, last),
    ], config_text(seed, more=more), **options)
