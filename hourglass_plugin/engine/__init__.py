"""Additions to mmengine's runner."""
from .checkpoint_hook import ResumableCheckpointHook
from .compile_hook import CompileNetworkHook, compile_for_training
from .data_parallel import WeightedDataParallel
from .fast_inference_hook import FastInferenceHook
from .finite_numbers_hook import FiniteNumbersHook
from .memory_hook import (
    KeepFreedMemoryHook,
    ReturnFreedMemoryHook,
    keep_freed_memory,
    return_freed_memory,
)
from .optim_wrapper import BFloat16OptimWrapper
from .runtime_info_hook import DeferredRuntimeInfoHook
from .train_loop import ResumableTrainLoop
from .unreadable_images_hook import UnreadableImagesHook

__all__ = [
    'BFloat16OptimWrapper', 'CompileNetworkHook', 'DeferredRuntimeInfoHook',
    'FastInferenceHook', 'FiniteNumbersHook', 'KeepFreedMemoryHook',
    'ResumableCheckpointHook', 'ResumableTrainLoop', 'ReturnFreedMemoryHook',
    'UnreadableImagesHook', 'WeightedDataParallel', 'compile_for_training',
    'keep_freed_memory', 'return_freed_memory'
]
