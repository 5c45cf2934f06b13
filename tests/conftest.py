"""Importing the package first lets the tests import MMPose plainly."""
import hourglass_plugin  # noqa: F401
