"""Importing the package first lets the tests import MMPose plainly."""
import cv2

import hourglass_plugin  # noqa: F401

# Many tests fork, which threads of OpenCV do not survive: a process would wait
# for them as soon as it, or mmengine in it, sets their number.
cv2.setNumThreads(1)
