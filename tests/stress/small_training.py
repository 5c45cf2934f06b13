"""A training of seconds with everything that a real one has.

The tests' small project, with gradients over two batches in epochs of an odd
number of batches, a moving average of the weights, a learning rate that
follows the iterations and falls with the scores, clipped gradients, a best
checkpoint, and one other that is kept.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import cv2
from mmengine.config import Config

sys.path.extend(str(Path(__file__).resolve().parents[2] / name)
                for name in ('tests', 'tools/analysis_tools'))
from small_project import project_files

#: The score that decides which checkpoint is the best.
SCORE = 'lsp/PCK@2'
# The scripts fork, which threads of OpenCV do not survive.
cv2.setNumThreads(1)


def small_config(folder, epochs, batch_size):
    """Return the config of a project, with all that can go wrong.

    Batches are of a process, also in evaluations.
    """
    config = Config.fromfile(project_files(folder).config)
    config.launcher = 'none'
    config.model.backbone.update(num_stacks=1, feat_channels=8)
    for name in ('train', 'val', 'test'):
        config[f'{name}_dataloader'].update(
            batch_size=batch_size, num_workers=0, persistent_workers=False)
    config.train_cfg.max_epochs = epochs
    # Thresholds that an untrained network meets, to have scores that change.
    for evaluator in (config.val_evaluator, config.test_evaluator):
        evaluator.thresholds = [0.5, 2.0]
    config.optim_wrapper = dict(
        type='OptimWrapper', optimizer=dict(type='RMSprop', lr=1e-3),
        accumulative_counts=2, clip_grad=dict(max_norm=1.0))
    config.param_scheduler = [
        dict(type='LinearLR', start_factor=0.1, end=10, by_epoch=False),
        dict(type='ReduceOnPlateauLR', monitor=SCORE, rule='greater',
             factor=0.5, patience=0)]
    config.default_hooks.ema = dict(type='EMAHook')
    config.default_hooks.checkpoint.update(
        max_keep_ckpts=1, save_best=SCORE, rule='greater')
    return config


def run_script(description, check, **defaults):
    """Run a stress test; exit with status 1 if something is wrong.

    Args:
        description: for ``--help``.
        check: called with a folder and the options; returns what was checked,
            and whether it is as it must be.
        defaults: options and their defaults; of a list, several values.
    """
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in defaults.items():
        is_list = isinstance(value, list)
        parser.add_argument(
            f'--{name}', type=type(value[0] if is_list else value),
            nargs='+' if is_list else None, default=value,
            help=f'default: {value}')
    options = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        report = check(Path(folder).resolve(), **options)
    for name, is_good in report.items():
        print(f'{name}: {"yes" if is_good else "NO"}')
    sys.exit(0 if all(report.values()) else 1)
