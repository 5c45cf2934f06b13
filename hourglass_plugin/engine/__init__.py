"""Additions to mmengine's runner."""
from ..registration import register_with

register_with('mmengine')

from .checkpoint_hook import ResumableCheckpointHook
from .compile_hook import CompileHook, compile_for_training
from .config_check_hook import ConfigCheckHook
from .fast_inference_hook import FastInferenceHook
from .invalid_loss_hook import InvalidLossHook
from .malloc_hook import (
    MallocHook,
    ReturnFreedMemoryHook,
    keep_freed_memory,
    return_freed_memory,
)
from .optim_wrapper import BFloat16OptimWrapper
from .train_loop import ResumableTrainLoop

__all__ = [
    'BFloat16OptimWrapper', 'CompileHook', 'ConfigCheckHook',
    'FastInferenceHook', 'InvalidLossHook', 'MallocHook',
    'ResumableCheckpointHook', 'ResumableTrainLoop', 'ReturnFreedMemoryHook',
    'keep_freed_memory', 'return_freed_memory'
]
