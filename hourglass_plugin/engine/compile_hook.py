"""Compilation of the network for training."""
import functools
from types import MethodType
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from ..compat.versions import programs_serve_all_modules
from ..models.stacked_hourglass import StackedHourglass
from ..models.wrapper import without_wrapper


@HOOKS.register_module()
class CompileHook(Hook):
    """Compile the model's backbone for training with ``torch.compile``.

    mmengine's own setting ``compile`` is for the whole ``train_step`` and
    fails on MMPose's data samples. Parameter names and checkpoints stay the
    same, and evaluation is not compiled. For GPUs: on CPUs it gained nothing.

    Args:
        enable: whether to compile.
        options: arguments of ``torch.compile``, such as ``mode``. By default
            each size of a batch has its own program (``dynamic=False``).
    """

    def __init__(self, enable: bool = True, **options: Any) -> None:
        self.enable = enable
        self.options = {'dynamic': False, **options}

    def before_train(self, runner: Runner) -> None:
        """Compile the backbone; ValueError if the model has none."""
        if not self.enable:
            return
        network: Any = getattr(without_wrapper(runner.model), 'backbone', None)
        if network is None:
            raise ValueError('default_hooks.compile: the model has no '
                             'backbone to compile; set enable=False')
        compile_for_training(network, **self.options)
        runner.logger.info('The network is compiled in the first iteration, '
                           'which takes minutes on a CPU')


def compile_for_training(network: nn.Module, **options: Any) -> None:
    """Compile a network's computation in training mode, in place.

    Of ``StackedHourglass`` the stem and one stack are compiled. From torch 2.5
    on the stack's program serves all stacks; before, each has its own.
    ``options`` are those of ``torch.compile``.

    Raises:
        ValueError: if the network has ``with_cp=True`` and torch is too old.
    """
    if getattr(network, 'with_cp', False) and not programs_serve_all_modules():
        raise ValueError('compiling a network with with_cp=True needs torch '
                         f'2.5 or newer, but this is {torch.__version__}: set '
                         'with_cp=False, or switch CompileHook off')
    parts = [(network, 'forward')]
    if isinstance(network, StackedHourglass):
        parts = [(network.stem, 'forward'),
                 *((stack, 'features') for stack in network.stacks)]
    for module, name in parts:
        method = _compiled_in_training(getattr(type(module), name), options)
        # Bound, so that a copy of the module has a method of its own.
        setattr(module, name, MethodType(method, module))


def _compiled_in_training(method: Any, options: dict) -> Any:
    """Return a method that is compiled for modules in training mode."""
    compiled = torch.compile(method, **options)

    @functools.wraps(method)
    def chosen(self: nn.Module, *arguments: Any, **keywords: Any) -> Any:
        function = compiled if self.training else method
        return function(self, *arguments, **keywords)

    return chosen
