"""Additions to mmengine's runner: loop, checkpoints, hooks."""
from ..registration import register_with

register_with('mmengine.hooks')

from .checkpoint_hook import ResumableCheckpointHook
from .compile_hook import CompileHook, compile_for_training
from .config_check_hook import ConfigCheckHook
from .invalid_loss_hook import InvalidLossHook
from .malloc_hook import MallocHook, set_freed_memory
from .optim_wrapper import BFloat16OptimWrapper
from .train_loop import ResumableTrainLoop

__all__ = [
    'BFloat16OptimWrapper', 'CompileHook', 'ConfigCheckHook',
    'InvalidLossHook', 'MallocHook', 'ResumableCheckpointHook',
    'ResumableTrainLoop', 'compile_for_training', 'set_freed_memory']
