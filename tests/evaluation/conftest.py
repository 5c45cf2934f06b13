"""Metrics and datasets are built from MMPose's registries."""
import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')
