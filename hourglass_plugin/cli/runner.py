"""mmengine's runner, built with a short first screen."""
import logging
import os
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from .. import __version__
from ..engine.config_check_hook import ConfigCheckHook
from .distributed import set_up_processes


def build_runner(config: Config, launcher: str = 'none',
                 local_rank: int | None = None,
                 started: Callable[[], None] | None = None) -> Runner:
    """Build mmengine's runner; :class:`ConfigCheckHook` is one of its hooks.

    The environment, the whole config and the list of hooks go to the log file
    only.

    Args:
        config: complete, with a work dir.
        launcher: how the processes were started.
        local_rank: number of this process on its machine, if the launcher
            passes it as an argument; most set the variable LOCAL_RANK.
        started: called when everything is built and loaded, before the first
            batch.

    Raises:
        ValueError: if the processes were not started by the launcher.
    """
    config.launcher = launcher
    if local_rank is None:  # mpirun's own
        local_rank = int(os.environ.get('OMPI_COMM_WORLD_LOCAL_RANK', 0))
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    if launcher != 'none':
        set_up_processes(config)
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader') or {}
        if get_device() == 'cuda':
            loader.setdefault('pin_memory', True)  # elsewhere torch warns
        if loader.get('num_workers') == 0:
            # Of loader processes alone; torch refuses it without any.
            loader.pop('persistent_workers', None)
    runner = _QuietlyBuiltRunner.from_cfg(config)
    for handler, level in runner._screens:  # from now on all lines
        handler.setLevel(level)
    if not any(isinstance(hook, ConfigCheckHook) for hook in runner.hooks):
        runner.register_hook(ConfigCheckHook())
    if started is not None:
        runner.register_hook(_StartHook(started))
    device = next(runner.model.parameters()).device
    runner.logger.info(
        f'hourglass_plugin {__version__}, torch {torch.__version__}, '
        f'{runner.world_size} x {device}. Environment and config: '
        f'{runner.logger.log_file}')
    return runner


class _StartHook(Hook):
    """Calls a function after all other hooks are ready to train or test."""

    priority = 'LOWEST'

    def __init__(self, started: Callable[[], None]) -> None:
        self.started = started

    def before_train(self, runner: Runner) -> None:
        self.started()

    def before_test(self, runner: Runner) -> None:
        self.started()


class _QuietlyBuiltRunner(Runner):
    """A runner that is silent on the screen until it is built."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build mmengine's logger; on the screen warnings only, for now."""
        logger = super().build_logger(*args, **kwargs)
        self._screens = [(handler, handler.level)
                         for handler in logger.handlers
                         if not isinstance(handler, logging.FileHandler)]
        for handler, level in self._screens:
            handler.setLevel(max(level, logging.WARNING))
            handler.addFilter(_is_for_users)
        return logger


def _is_for_users(record: logging.LogRecord) -> bool:
    """Return False for warnings about mmengine, and lacking gradients."""
    return not str(record.msg).startswith(
        ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias',
         'Resumed iteration number is not divisible by'))
