"""Additions to mmengine's runner."""
from .compile_hook import CompileNetworkHook, compile_for_training
from .fast_inference_hook import FastInferenceHook
from .memory_hook import (
    KeepFreedMemoryHook,
    ReturnFreedMemoryHook,
    keep_freed_memory,
    return_freed_memory,
)
from .optim_wrapper import BFloat16OptimWrapper
from .runtime_info_hook import DeferredRuntimeInfoHook

__all__ = [
    'BFloat16OptimWrapper', 'CompileNetworkHook', 'DeferredRuntimeInfoHook',
    'FastInferenceHook', 'KeepFreedMemoryHook', 'ReturnFreedMemoryHook',
    'compile_for_training', 'keep_freed_memory', 'return_freed_memory'
]
