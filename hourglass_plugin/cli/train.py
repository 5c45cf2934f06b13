"""Train the model of a config with mmengine's runner."""
import argparse
from typing import TYPE_CHECKING

from .arguments import add_runner_arguments, existing_file
from .errors import setting_up

if TYPE_CHECKING:
    from mmengine.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments, which are those of MMPose's tool."""
    parser.add_argument('config', type=existing_file, help='config file')
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='resume from CHECKPOINT, or from the latest in the work dir')
    parser.add_argument(
        '--amp', action='store_true',
        help='mixed precision: float16 on a GPU, bfloat16 on a CPU')
    parser.add_argument(
        '--no-validate', action='store_true',
        help='do not evaluate during training')
    parser.add_argument(
        '--auto-scale-lr', action='store_true',
        help="scale the learning rate from the config's "
        'auto_scale_lr.base_batch_size to the actual batch size')
    add_runner_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Build the runner and train."""
    with setting_up() as set_up:
        from . import configs, runner
        from .distributed import connected_processes
        config = configs.load_config(args.config, args.cfg_options)
        configs.set_work_dir(config, args.work_dir, args.config)
        set_training(config, args.resume, args.amp, not args.no_validate,
                     args.auto_scale_lr)
        if config.get('load_from') is not None:
            configs.require_checkpoint(config.load_from)
        configs.set_visualization(config, args)
        training = runner.build_runner(config, args.launcher, args.local_rank,
                                       started=set_up)
        with connected_processes(config.work_dir):
            training.train()


def set_training(config: 'Config', resume: str | None = None,
                 mixed_precision: bool = False, validate: bool = True,
                 scale_learning_rate: bool = False) -> None:
    """Apply the options of a training to a config.

    Args:
        config: is changed where an option asks for it; with a work dir.
        resume: None leaves it to the config, ``auto`` resumes from the latest
            checkpoint in the work dir if there is one, anything else is the
            checkpoint to resume from.
        mixed_precision: float16 with loss scaling on a GPU, bfloat16 on a
            CPU.
        validate: whether to evaluate during training.
        scale_learning_rate: whether to scale it to the batch size.

    Raises:
        ValueError: if the config does not allow it.
    """
    from ..engine.config_check_hook import (
        check_learning_rates,
        check_training_numbers,
    )
    from ..engine.latest_checkpoint import latest_checkpoint
    from .configs import require_settings
    require_settings(config, 'trained', 'train_dataloader', 'train_cfg',
                     'optim_wrapper')
    check_training_numbers(config)
    check_learning_rates(config)
    _check_optimizer(config)
    if config.get('compile'):
        raise ValueError("mmengine's setting `compile` is for train_step as a "
                         "whole, which fails on MMPose's data samples; to "
                         'compile the network use the CompileHook: '
                         'default_hooks.compile.enable=True')
    if resume is not None:
        config.load_from = None if resume == 'auto' else resume
    config.resume = resume is not None or config.get('resume', False)
    if config.resume and config.get('load_from') is None:
        config.load_from = latest_checkpoint(config.work_dir)
    if mixed_precision:
        _set_mixed_precision(config)
    if not validate:
        config.val_dataloader = config.val_cfg = config.val_evaluator = None
    if scale_learning_rate:
        if 'base_batch_size' not in (config.get('auto_scale_lr') or {}):
            raise ValueError('--auto-scale-lr needs the batch size that the '
                             'learning rate is for: add auto_scale_lr = '
                             'dict(base_batch_size=...) to the config')
        if 'OneCycleLR' in str(config.get('param_scheduler')):
            raise ValueError("--auto-scale-lr scales the optimizer's learning "
                             'rate, which OneCycleLR replaces: scale eta_max '
                             'in param_scheduler')
        config.auto_scale_lr.enable = True


def _check_optimizer(config: 'Config') -> None:
    """Raise mmengine's error if the type is unknown; its builder has none."""
    from mmengine.registry import OPTIMIZERS
    settings = config.optim_wrapper.get('optimizer') or {}
    with OPTIMIZERS.switch_scope_and_registry(None) as registry:
        if isinstance(settings.get('type'), str) and (
                registry.get(settings['type']) is None):
            registry.build(dict(type=settings['type']))


def _set_mixed_precision(config: 'Config') -> None:
    """Choose the device's optimizer wrapper for mixed precision."""
    from mmengine.device import get_device
    kind = config.optim_wrapper.get('type', 'OptimWrapper')
    on_gpu = get_device() != 'cpu'
    mixed = 'AmpOptimWrapper' if on_gpu else 'BFloat16OptimWrapper'
    if kind not in ('OptimWrapper', mixed):
        raise ValueError('--amp replaces the optimizer wrapper '
                         f"'OptimWrapper', but the config has {kind!r}")
    config.optim_wrapper.type = mixed
    if on_gpu:
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
