"""Additions to mmengine's runner."""
from .memory_hook import KeepFreedMemoryHook
from .optim_wrapper import BFloat16OptimWrapper

__all__ = ['BFloat16OptimWrapper', 'KeepFreedMemoryHook']
