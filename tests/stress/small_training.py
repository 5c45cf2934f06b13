"""A training of seconds that has everything a real one has.

What the studies behind ``tools/check_resume.py``,
``tools/check_distributed.py`` and ``tools/check_load.py`` train: a small
network on drawn people, with gradients over two batches in epochs of an odd
number of batches, a moving average of the weights, a rate that follows the
iterations and falls with the scores, clipped gradients, a best checkpoint, and
only one other that is kept.
"""
from pathlib import Path

import cv2
import synthetic_people
from mmengine.config import Config
from synthetic import Settings

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.resources import config_path

#: What decides which checkpoint is the best.
SCORE = 'mpii/PCKh@0.5'


def draw_people(folder: Path, train: int, val: int) -> None:
    """Write the data set.

    Args:
        folder: of the data set.
        train: how many people to train on.
        val: how many to evaluate.
    """
    # The studies fork, which threads of OpenCV do not survive: whoever sets
    # their number afterwards, as mmengine does, would wait for them.
    cv2.setNumThreads(1)
    settings = Settings(train, val, 0)
    for _ in synthetic_people.DATASET.write(str(folder), settings, 1):
        continue


def small_config(people: Path, epochs: int, batch_size: int) -> Config:
    """The quick start's config, smaller, and with all that can go wrong.

    Args:
        people: the data set of :func:`draw_people`.
        epochs: length of the training.
        batch_size: of a process, also in evaluations.
    """
    config = load_config(
        config_path('td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py'))
    config.model.backbone.feat_channels = 8
    for loader in (config.train_dataloader, config.val_dataloader,
                   config.test_dataloader):
        loader.batch_size = batch_size
        loader.dataset.data_root = str(people)
    config.train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=1)
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
    config.custom_hooks = [*config.custom_hooks, dict(type='EMAHook')]
    config.default_hooks.checkpoint.update(
        max_keep_ckpts=1, save_best=SCORE, rule='greater')
    config.default_hooks.logger.interval = 1
    return config


def set_loader_processes(config: Config, number: int) -> None:
    """Have each loader of a config work with so many processes."""
    for loader in (config.train_dataloader, config.val_dataloader,
                   config.test_dataloader):
        loader.num_workers = number
        loader.persistent_workers = number > 0
