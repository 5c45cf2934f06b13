"""Imports MMPose, with stand-ins for its missing dependencies.

The first module that is registered with MMPose.
"""
from .imports import import_mmpose

import_mmpose()
