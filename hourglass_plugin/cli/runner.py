"""mmengine's runner, built and checked before it runs.

Wrong input raises ValueError or FileNotFoundError with one line that names
it.
"""
import logging
import os
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.evaluator import DumpResults, Evaluator
from mmengine.logging import MMLogger, print_log
from mmengine.model import is_model_wrapper
from mmengine.registry import OPTIMIZERS
from mmengine.runner import Runner
from torch.utils.data import Dataset

from .. import __version__
from ..engine.checkpoint_hook import check_progress
from ..engine.config_check_hook import check_runner
from ..engine.latest_checkpoint import checkpoints_in
from ..evaluation.files.submissions import OfficialPredictionFile
from ..evaluation.metrics import PCKMetric
from ..models.stacked_hourglass import StackedHourglass
from ..models.weights.loading import load_weights, read_checkpoint
from .distributed import set_up_processes


def build_runner(config: Config,
                 launcher: str = 'none',
                 local_rank: int | None = None) -> Runner:
    """Build mmengine's runner, with a short first screen.

    The environment, the whole config and the list of hooks go to the log file
    only.

    Args:
        config: complete, with a work dir.
        launcher: how the processes were started.
        local_rank: number of this process on its machine, if the launcher
            passes it as an argument; most set the variable LOCAL_RANK.

    Raises:
        ValueError: if the processes were not started by the launcher.
    """
    config.launcher = launcher
    rank = os.environ.get('OMPI_COMM_WORLD_LOCAL_RANK', '0')  # mpirun's own
    if local_rank is not None:
        rank = str(local_rank)
    os.environ.setdefault('LOCAL_RANK', rank)
    if launcher != 'none':
        set_up_processes(config)
    if get_device() == 'cuda':  # elsewhere torch warns of it
        for phase in ('train', 'val', 'test'):
            loader = config.get(f'{phase}_dataloader')
            if loader is not None:
                loader.setdefault('pin_memory', True)
    runner = _QuietlyBuiltRunner.from_cfg(config)
    for handler, level in runner._screens:  # from now on all lines
        handler.setLevel(level)
    device = next(runner.model.parameters()).device
    runner.logger.info(
        f'hourglass_plugin {__version__}, torch {torch.__version__}, '
        f'{runner.world_size} x {device}. Environment and config: '
        f'{runner.logger.log_file}')
    return runner


def build_loops(runner: Runner, *names: str) -> None:
    """Build loops, which reads the annotation files, ahead of their run.

    Args:
        runner: the runner.
        names: ``train``, ``val``, ``test``; a loop that the config lacks is
            skipped.

    Raises:
        FileNotFoundError: if annotations are not there.
        ValueError: if they cannot be used, lack what a metric needs, do not
            belong to the model, or there is no batch to train on.
    """
    for name in names:
        # mmengine builds it when asked.
        loop = getattr(runner, f'{name}_loop')
        check_runner(runner, name)
        if name == 'train' and len(loop.dataloader) == 0:
            raise ValueError(
                'there is no batch to train on: '
                f'{len(loop.dataloader.dataset)} samples are less than one '
                'batch: set train_dataloader.drop_last=False, or a smaller '
                'batch_size')
        if getattr(loop, 'evaluator', None) is not None:
            _check_evaluation(loop.evaluator, loop.dataloader.dataset)


def build_optimizer(runner: Runner) -> None:
    """Build the optimizer, ahead of the training.

    mmengine does it when training starts, outside of ``setting_up``, and
    keeps one that is there.

    Raises:
        KeyError: if a type is not registered, as mmengine's registries say.
        ValueError: if a setting does not fit.
    """
    wrapper = runner.optim_wrapper
    settings = wrapper.get('optimizer') if isinstance(wrapper, dict) else None
    if isinstance(settings, dict) and isinstance(settings.get('type'), str):
        with OPTIMIZERS.switch_scope_and_registry(None) as registry:
            if registry.get(settings['type']) is None:
                registry.build(settings)  # mmengine's constructor fails on it
    try:
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    except AssertionError as error:
        raise ValueError(f'optim_wrapper: {error}') from error


def check_resumable(runner: Runner, path: str | None) -> None:
    """Check that a training can resume from a checkpoint, before it starts.

    Args:
        runner: with its training loop built.
        path: the checkpoint; None for none.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint of this model's training, or one
            in the middle of an epoch with batches of another size.
    """
    if path is None:
        return
    try:
        checkpoint = read_checkpoint(path)
    except ValueError as error:
        for other in checkpoints_in(runner.work_dir):
            if not os.path.samefile(other, path):
                raise ValueError(f'{error}; an older one is there: --resume '
                                 f'{other}') from error
        raise
    if 'optimizer' not in checkpoint:
        raise ValueError(f'{path} holds weights only, so training cannot '
                         'resume from it; to start from these weights use '
                         f'--cfg-options load_from={path}')
    load_weights(runner.model, checkpoint, path)
    if 'progress' in checkpoint:
        check_progress(runner, checkpoint['progress'],
                       checkpoint['meta']['epoch'])


def start_from_weights(runner: Runner) -> None:
    """Load the network's pretrained weights, and check ``load_from``.

    mmengine does both when training starts, outside of ``setting_up``, and
    only warns if nothing in a file fits.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it is not one, or of another network.
    """
    for module in runner.model.modules():
        settings = getattr(module, 'init_cfg', None)
        if isinstance(module, StackedHourglass) and isinstance(
                settings, dict) and settings.get('type') == 'Pretrained':
            module.init_weights()
    path = runner._load_from
    if path is None or runner._resume:
        return
    checkpoint = read_checkpoint(path)
    names = {
        name.removeprefix('module.')
        for name in checkpoint.get('state_dict', checkpoint)
    }
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    if not names & set(model.state_dict()):
        raise ValueError(
            f'load_from={path}: none of its {len(names)} names is one of the '
            "model's. Convert the weights of a published port by "
            'tools/convert_checkpoint.py, or name them in the config as '
            "backbone.init_cfg=dict(type='Pretrained', checkpoint=...)")


def _check_evaluation(evaluator: Evaluator, dataset: Dataset) -> None:
    """Check that predictions can be used; without annotations only written."""
    for writer in evaluator.metrics:
        if isinstance(writer, OfficialPredictionFile) and (
                not writer.check_people(dataset)):
            evaluator.metrics = [
                metric for metric in evaluator.metrics
                if metric is writer or isinstance(metric, DumpResults)
            ]
            print_log('The dataset has no annotations: predictions are '
                      'written, without scores', 'current')
    for metric in evaluator.metrics:
        if isinstance(metric, PCKMetric):
            metric.check_dataset(dataset)


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
