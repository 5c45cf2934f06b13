"""Weights of a checkpoint fit the model exactly, or are refused."""
import pytest
import torch
from torch import nn

from hourglass_plugin.models.weights.loading import load_weights


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('wrap', [dict, lambda x: dict(state_dict=x)])
def test_weights_are_loaded(prefix, wrap):
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    weights = {
        prefix + key: value
        for key, value in source.state_dict().items()
    }
    load_weights(target, wrap(weights), 'a.pth')
    assert torch.equal(target.weight, source.weight)
    assert torch.equal(target.bias, source.bias)


@pytest.mark.parametrize('changes, named', [
    (dict(bias=None), ['bias']),
    (dict(scale=torch.zeros(1)), ['scale']),
    (dict(weight=torch.zeros(3, 4)), ['weight', '(3, 4)', '(3, 2)']),
    (dict(bias=None, weight=None), ['2', 'weight', 'bias']),
    (dict(bias=torch.full((3, ), float('nan'))), ['bias']),
    (dict(bias=torch.full((3, ), float('-inf'))), ['bias']),
])
def test_weights_that_do_not_fit_are_named(changes, named):
    weights = dict(weight=torch.zeros(3, 2), bias=torch.zeros(3))
    weights = {
        name: value
        for name, value in {**weights, **changes}.items()
        if value is not None
    }
    with pytest.raises(ValueError) as error:
        load_weights(nn.Linear(2, 3), weights, 'a.pth')
    for name in ('a.pth', *named):
        assert name in str(error.value)


def test_a_batch_norms_count_may_be_missing():
    model = nn.BatchNorm1d(2)
    weights = model.state_dict()
    del weights['num_batches_tracked']
    load_weights(model, weights, 'a.pth')
    assert int(model.num_batches_tracked) == 0
