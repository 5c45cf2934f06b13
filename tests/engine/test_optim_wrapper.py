"""Mixed precision on the CPU."""
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn


def test_forward_runs_in_bfloat16_and_weights_stay_float32():
    torch.manual_seed(0)
    model = nn.Linear(4, 4)
    wrapper = build_optim_wrapper(model, dict(
        type='BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.5),
        accumulative_counts=2))
    before = model.weight.detach().clone()
    inputs = torch.randn(3, 4)
    gradients = []
    for _ in range(2):
        with wrapper.optim_context(model):
            outputs = model(inputs)
        assert outputs.dtype == torch.bfloat16
        # Half of the gradient in each of two accumulated steps.
        wrapper.update_params(outputs.float().sum())
        gradients.append(inputs.bfloat16().float().sum(0).expand(4, 4) / 2)
    assert model.weight.dtype == torch.float32
    # bfloat16 keeps 8 bits: sums of three numbers near 1 err by 2^-8 each.
    torch.testing.assert_close(
        before - model.weight.detach(), 0.5 * sum(gradients), atol=0.02,
        rtol=0.02)
