"""Testing with an accelerated network; tests/tools has it in use."""
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hourglass_plugin.inference.engines import AcceleratedNetwork
from hourglass_plugin.inference.fast_inference_hook import FastInferenceHook
from hourglass_plugin.models import StackedHourglass


class Model(nn.Module):

    def __init__(self):
        super().__init__()
        self.backbone = StackedHourglass(
            num_stacks=2, feat_channels=8, depth=1, num_keypoints=3)

    def data_preprocessor(self, batch):
        return dict(inputs=torch.stack(batch['inputs']).float() / 255)


@pytest.mark.parametrize('precision, read', [('float32', 0), ('int8', 2)])
def test_the_runner_has_its_model_back(precision, read, tmp_path,
                                       monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    batches = []

    def loader():
        for index in range(9):
            batches.append(index)
            yield dict(inputs=list(torch.randint(0, 256, (30, 3, 16, 16))))

    model = Model()
    runner = SimpleNamespace(model=model, test_dataloader=loader())
    hook = FastInferenceHook(precision)
    hook.before_test(runner)
    assert len(batches) == read  # 32 images are enough
    assert isinstance(runner.model.backbone, AcceleratedNetwork)
    assert runner.model.backbone.out_stacks == (0, 1)
    hook.after_test(runner)
    assert runner.model is model
    assert isinstance(model.backbone, StackedHourglass)


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError):
        FastInferenceHook('float16')
