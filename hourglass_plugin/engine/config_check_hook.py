"""Checks of a config before its runner starts."""
import math
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..models.consistency import check_data, check_model

#: Whole numbers in a config -> the smallest valid value.
_COUNTS = {
    'train_cfg.max_epochs': 1,
    'train_cfg.max_iters': 1,
    'train_cfg.val_interval': 1,
    'train_cfg.val_begin': 0,
    'optim_wrapper.accumulative_counts': 1,
    'default_hooks.checkpoint.interval': -1,
    'default_hooks.checkpoint.max_keep_ckpts': -1,
}


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


def check_runner(runner: Runner, *phases: str) -> None:
    """Check a runner's model, and the datasets of loops that are built.

    Args:
        runner: mmengine's.
        phases: of ``train``, ``val``, ``test``; default: all.

    Raises:
        ValueError: if parts disagree.
    """
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    check_model(model)
    for phase in phases or ('train', 'val', 'test'):
        # Not the property, which would build the loop.
        loop = getattr(runner, f'_{phase}_loop', None)
        loader: Any = getattr(loop, 'dataloader', None)
        if loader is not None:
            check_data(loader.dataset, model, phase)


@HOOKS.register_module()
class ConfigCheckHook(Hook):
    """Raise an error before a run whose model, codec and datasets disagree.

    Works under any tool's runner; see :func:`check_runner`.
    """

    def before_run(self, runner: Runner) -> None:
        """Check what is built now: the loop that runs, and validation's."""
        check_runner(runner)
