"""A training of seconds with everything that a real one has.

A small network on stick figures, with gradients over two batches in epochs of
an odd number of batches, a moving average of the weights, a learning rate
that follows the iterations and falls with the scores, clipped gradients, a
best checkpoint, and one other that is kept.
"""
import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config

from hourglass_plugin import config_path

TESTS = Path(__file__).resolve().parents[1]
#: The score that decides which checkpoint is the best.
SCORE = 'lsp/PCK@2'


def write_dataset(folder: Path, train: int, val: int) -> None:
    """Write as many images with a person each to train on and to evaluate."""
    sys.path.insert(0, str(TESTS))
    from stick_figures import write_people

    # The scripts fork, which threads of OpenCV do not survive.
    cv2.setNumThreads(1)
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    rng = np.random.RandomState(0)
    for name, count in (('train', train), ('val', val)):
        write_people(folder, name, count, rng)


def small_config(dataset: Path, epochs: int, batch_size: int,
                 workers: int = 0) -> Config:
    """Return a shipped config, smaller, and with all that can go wrong.

    Batches are of a process, also in evaluations; workers are processes of
    each data loader.
    """
    config = Config.fromfile(
        config_path('td-hm_hg1-w128_1xb16-12e_lspet-128x128.py'))
    config.launcher = 'none'
    config.model.backbone.feat_channels = 8
    for name in ('train', 'val', 'test'):
        loader = config[f'{name}_dataloader']
        loader.update(
            batch_size=batch_size,
            num_workers=workers,
            persistent_workers=workers > 0)
        loader.dataset.update(
            data_root=str(dataset),
            ann_file='train.json' if name == 'train' else 'val.json')
    config.train_cfg.update(max_epochs=epochs, val_interval=1)
    # Thresholds that an untrained network meets, to have scores that change.
    for evaluator in (config.val_evaluator, config.test_evaluator):
        evaluator.thresholds = [0.5, 2.0]
    config.optim_wrapper = dict(
        type='OptimWrapper',
        optimizer=dict(type='RMSprop', lr=1e-3),
        accumulative_counts=2,
        clip_grad=dict(max_norm=1.0))
    config.param_scheduler = [
        dict(type='LinearLR', start_factor=0.1, end=10, by_epoch=False),
        dict(
            type='ReduceOnPlateauLR',
            monitor=SCORE,
            rule='greater',
            factor=0.5,
            patience=0),
    ]
    config.default_hooks.ema = dict(type='EMAHook')
    config.default_hooks.checkpoint.update(
        max_keep_ckpts=1, save_best=SCORE, rule='greater')
    config.default_hooks.logger.interval = 1
    return config


def script_parser(description: str) -> argparse.ArgumentParser:
    """Return a stress test's parser, with ``--out``."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--out', help='folder that keeps the training runs')
    return parser


@contextmanager
def output_folder(args: argparse.Namespace) -> Iterator[Path]:
    """Yield the folder ``--out``, or one that is removed in the end."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.out or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def finish(report: dict[str, bool]) -> None:
    """Print what was checked; exit with status 1 if something is wrong."""
    for name, is_good in report.items():
        print(f'{name}: {"yes" if is_good else "NO"}')
    sys.exit(0 if all(report.values()) else 1)
