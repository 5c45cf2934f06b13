"""Testing with a network rewritten for speed; tests/tools has it in use."""
from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger
from torch import nn

from hourglass_plugin.inference.fast_inference_hook import (
    FastInferenceHook,
    accuracy_against_time,
)
from hourglass_plugin.inference.optimize import OptimizedHourglass
from hourglass_plugin.models import StackedHourglass


@pytest.mark.parametrize('metrics, times, rows', [
    ({
        'mpii/PCKh@0.5': 81.0,
        'mpii/stack_1/PCKh@0.5': 78.125,
        'mpii/stack_1/PCKh@0.5/Head': 88.0,
        'mpii/stack_2/PCKh@0.5': 81.0,
    }, [41.26, 70.04], [
        '                ms  mpii/PCKh@0.5',
        'stack 1       41.3          78.12',
        'stack 2       70.0          81.00',
    ]),
    ({'mpii/PCKh@0.5': 81.0}, [1.0], []),
    ({'mpii/stack_1/PCKh@0.5': 81.0}, [1.0, 2.0], []),  # not of every stack
])
def test_table(metrics, times, rows):
    assert accuracy_against_time(metrics, times).splitlines()[1:] == rows


def test_the_runner_has_its_model_back():
    model = nn.Module()
    model.backbone = StackedHourglass(
        num_stacks=2, feat_channels=8, depth=1, num_keypoints=3)
    runner = SimpleNamespace(
        model=model, logger=MMLogger.get_instance('fast_inference'))
    hook = FastInferenceHook('bfloat16')
    hook.before_test(runner)
    assert isinstance(runner.model.backbone, OptimizedHourglass)
    assert runner.model.backbone.out_stacks == (0, 1)
    hook.after_test_epoch(runner, {})
    hook.after_test(runner)
    assert runner.model is model
    assert isinstance(model.backbone, StackedHourglass)
    with pytest.raises(ValueError):
        FastInferenceHook('int8')
