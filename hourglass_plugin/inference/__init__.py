"""Prediction with trained models, and their export."""
from ..registration import register_with

register_with('mmengine.hooks')

from .engines import accelerate

__all__ = ['accelerate']
