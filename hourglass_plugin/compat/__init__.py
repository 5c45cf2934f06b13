"""Workarounds for missing dependencies and for versions of libraries.

Nothing here runs when :mod:`hourglass_plugin` is imported.
"""
from ..registration import register_with

register_with('mmengine')
