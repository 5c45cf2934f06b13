"""Checks of a config before its runner starts."""
import logging
import math
import sys
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner

from ..models.consistency import check_data, check_model
from ..models.weights.loading import check_checkpoint, check_shared_names
from ..models.wrapper import without_wrapper
from .checkpoint_hook import check_save_best

#: Whole numbers in a config -> the smallest valid value.
_COUNTS = {
    'train_cfg.max_epochs': 1,
    'train_cfg.max_iters': 1,
    'train_cfg.val_interval': 1,
    'train_cfg.val_begin': 0,
    'optim_wrapper.accumulative_counts': 1,
    'default_hooks.checkpoint.interval': -1,
    'default_hooks.checkpoint.max_keep_ckpts': -1}


def check_training_numbers(config: Config) -> None:
    """Check a training's counts and learning rate, some used at its end only.

    Args:
        config: missing settings have their defaults.

    Raises:
        ValueError: if a count is not a whole number or too small, or the
            learning rate is negative or not finite.
    """
    for name, least in {**_COUNTS, 'optim_wrapper.optimizer.lr': 0}.items():
        value: Any = config
        for key in name.split('.'):
            value = value.get(key, least) if hasattr(value, 'get') else least
        is_count = name in _COUNTS
        if not (isinstance(value, (int, float)) and least <= value < math.inf
                and (value % 1 == 0 or not is_count)):
            raise ValueError(
                f'{name}={value!r} must be a {"whole " * is_count}number of '
                f'{least} or more')


def check_learning_rates(config: Mapping) -> None:
    """Check that each setting of the learning rate has an effect.

    Raises:
        ValueError: if ``OneCycleLR`` would replace ``lr_mult``, or
            ``lr_mult`` has no learning rate to multiply.
    """
    wrapper = config.get('optim_wrapper') or {}
    rate = (wrapper.get('optimizer') or {}).get('lr')
    factors = _rate_factors(wrapper.get('paramwise_cfg') or {})
    schedulers = config.get('param_scheduler') or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    for scheduler in schedulers:
        if scheduler.get('type') != 'OneCycleLR':
            continue
        highest = scheduler.get('eta_max')
        if factors:
            raise ValueError(
                f'optim_wrapper.paramwise_cfg: {factors[0]} has no effect, '
                'since OneCycleLR gives all parameters the same rate: set '
                f'optim_wrapper.optimizer.lr={highest}, and '
                'param_scheduler to LinearLR (start_factor=0.04, a tenth of '
                'the epochs), then CosineAnnealingLR')
        if rate not in (None, highest):
            print_log(
                f'optim_wrapper.optimizer.lr={rate} has no effect: OneCycleLR '
                f'sets the learning rate, with eta_max={highest}', 'current',
                logging.WARNING)
    if factors and rate is None:
        raise ValueError(f'optim_wrapper.paramwise_cfg: {factors[0]} needs '
                         'optim_wrapper.optimizer.lr')


def _rate_factors(settings: Mapping, place: str = '') -> list[str]:
    """Return the settings, at any depth, that multiply learning rates."""
    factors = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            factors += _rate_factors(value, f'{place}{name}.')
        elif value != 1 and str(name).endswith(('lr_mult', 'decay_rate')):
            factors.append(f'{place}{name}={value}')
    return factors


@HOOKS.register_module()
class ConfigCheckHook(Hook):
    """Refuse a run whose parts, or whose checkpoint, do not fit each other.

    Works under any tool's runner. mmengine itself only warns of weights that
    are missing or left over, and goes on with random ones.
    """

    def before_run(self, runner: Runner) -> None:
        """Check the model, and the loops that are built now.

        Raises:
            ValueError: if model, codec, datasets or metrics disagree, images
                are missing, or settings have no effect.
        """
        check_learning_rates(runner.cfg)
        model = without_wrapper(runner.model)
        check_model(model)
        names: list[str] = []
        for phase in ('train', 'val', 'test'):
            # Not the property, which would build the loop.
            loop = getattr(runner, f'_{phase}_loop', None)
            if not isinstance(loop, BaseLoop):
                continue
            dataset = loop.dataloader.dataset
            check_data(dataset, model, phase)
            if 'mmpose' not in sys.modules:  # which the others need
                continue
            from ..datasets.checks import check_dataset
            from ..evaluation.checks import check_evaluator
            names = check_dataset(dataset, model, phase, names)
            scores = check_evaluator(getattr(loop, 'evaluator', None), dataset,
                                     phase)
            for hook in runner.hooks if phase == 'val' else ():
                if isinstance(hook, CheckpointHook) and hook.save_best:
                    check_save_best(hook, scores)

    def before_train(self, runner: Runner) -> None:
        """Warn of a schedule that ends before the training that resumes."""
        schedulers = runner.param_schedulers
        ends = [
            min(each.end, each.begin + getattr(each, 'total_steps', math.inf))
            / (runner.max_epochs if each.by_epoch else runner.max_iters)
            for each in schedulers or () if isinstance(schedulers, list)]
        if runner._resume and ends and max(ends) < 1:
            print_log(
                f"the checkpoint's schedule ends after {max(ends):.0%} of "
                'this training; for another one start from its weights: '
                '--cfg-options load_from=CHECKPOINT, without --resume',
                'current', logging.WARNING)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the weights of a checkpoint.

        Raises:
            ValueError: if weights are missing, left over or of another shape
                (to test or to resume), or none fits (to start from).
        """
        path = runner._load_from or 'the checkpoint'
        if not runner._resume and isinstance(runner._train_loop, BaseLoop):
            check_shared_names(runner.model, checkpoint, path)
            return
        if runner._resume and 'optimizer' not in checkpoint:
            raise ValueError(f'{path} holds weights only, so training cannot '
                             'resume from it; to start from these weights use '
                             f'--cfg-options load_from={path}')
        check_checkpoint(runner.model, checkpoint, path)
