"""The network compiled for training, by a switch in the config."""
import functools
import importlib.util
import os
import shutil
import sys
from types import MethodType
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from ..compat.versions import programs_serve_all_modules
from ..models.stacked_hourglass import StackedHourglass


@HOOKS.register_module()
class CompileHook(Hook):
    """Compile the model's backbone for training, with ``torch.compile``.

    mmengine's own setting ``compile`` compiles the whole ``train_step``, which
    fails on MMPose's data samples. Here only tensors go in and out of what is
    compiled. Names of weights, checkpoints and results stay the same.
    Meant for GPUs: on a processor, where convolutions are three quarters of a
    step, compiling takes minutes and gained nothing (2 stacks, 256x256, batch
    4, AVX-512: 1.56 s a step compiled, 1.54 s not).

    Evaluation stays as it is, so no size of batch is compiled for it.

    Args:
        enable: whether to compile.
        dynamic: whether one program serves batches of any size. By default
            each size, the epoch's last batch for example, is compiled for.
        options: other arguments of ``torch.compile``, such as ``mode``.

    Raises:
        ValueError: if what ``torch.compile`` calls is not installed.
    """

    def __init__(self,
                 enable: bool = True,
                 dynamic: bool = False,
                 **options: Any) -> None:
        self.enable = enable
        self.options = dict(options, dynamic=dynamic)
        if enable and options.get('backend', 'inductor') == 'inductor':
            _check_compiler(get_device())

    def before_train(self, runner: Runner) -> None:
        """Compile.

        Raises:
            ValueError: if the model has no backbone.
        """
        if not self.enable:
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        if not isinstance(getattr(model, 'backbone', None), nn.Module):
            raise ValueError('CompileHook compiles the backbone of the '
                             f'model, but {type(model).__name__} has none; '
                             'switch the hook off')
        compile_for_training(model.backbone, **self.options)
        runner.logger.info('The network is compiled in the first iteration, '
                           'which takes minutes on a processor')


def compile_for_training(network: nn.Module, **options: Any) -> None:
    """Compile what a network computes in training mode, in place.

    Of ``StackedHourglass`` the stem and one stack are compiled, and the
    program of the stack serves all (from torch 2.5 on; before, it is compiled
    for each), which is several times quicker than compiling all as one.
    ``with_cp`` recomputes a compiled stack as it does one that is not.

    Args:
        network: is changed; parameters and buffers are not.
        options: arguments of ``torch.compile``.

    Raises:
        ValueError: if this torch cannot recompute what it has compiled.
    """
    if getattr(network, 'with_cp', False) and not (
            programs_serve_all_modules()):
        raise ValueError('compiling a network with with_cp=True needs torch '
                         f'2.5 or newer, but this is {torch.__version__}: '
                         'switch CompileHook or with_cp off')
    parts = [(network, 'forward')]
    if isinstance(network, StackedHourglass):
        parts = [(network.stem, 'forward'),
                 *((stack, 'features') for stack in network.stacks)]
    for module, name in parts:
        method = _compiled_in_training(getattr(type(module), name), options)
        # Bound, so that a copy of the module has a method of its own.
        setattr(module, name, MethodType(method, module))


def _compiled_in_training(method: Any, options: dict) -> Any:
    """A method that is compiled when its module is in training mode."""
    compiled = torch.compile(method, **options)

    @functools.wraps(method)
    def chosen(self: nn.Module, *arguments: Any, **keywords: Any) -> Any:
        function = compiled if self.training else method
        return function(self, *arguments, **keywords)

    return chosen


def _check_compiler(device: str) -> None:
    """Raise ValueError if what ``torch.compile`` calls is not installed."""
    if device == 'cuda':
        if importlib.util.find_spec('triton') is None:
            raise ValueError('compiling for a GPU needs triton, which is not '
                             'installed: pip install it in the version that '
                             'fits your torch, or switch '
                             'CompileHook off')
        return
    compiler = os.environ.get(
        'CXX', 'clang++' if sys.platform == 'darwin' else 'g++')
    if shutil.which(compiler.split()[0]) is None:
        raise ValueError(f'compiling needs a C++ compiler, but there is no '
                         f'{compiler}: install it, name another in the '
                         'environment variable CXX, or switch '
                         'CompileHook off')
