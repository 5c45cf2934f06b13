"""Importing the package first lets the tests import MMPose plainly."""
import cv2
import pytest
from mmengine.registry import DefaultScope

import hourglass_plugin  # noqa: F401, with stand-ins for what MMPose lacks
import mmpose  # noqa: F401, isort: skip

# Many tests fork, which threads of OpenCV do not survive: a process would wait
# for them as soon as it, or mmengine in it, sets their number.
cv2.setNumThreads(1)


@pytest.fixture(autouse=True, scope='module')
def no_default_scope():
    """What one file's runners leave as default scope, the next does not see.

    Which file is the next depends on the number of processes.
    """
    DefaultScope._instance_dict.clear()
