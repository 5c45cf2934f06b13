"""Batch norm of several processes against that of one."""
import pytest
import torch
from several_processes import in_processes
from torch import nn

from hourglass_plugin.models.synchronized_norm import (
    use_synchronized_batch_norm,
)

# Samples of each process. Of none there is one, which does not count.
SHARES = (2, 1, 0)
CHANNELS = 4


def samples():
    """Six pixels of a sample, far from zero, innermost channels."""
    torch.manual_seed(0)
    x = 50 + torch.randn(sum(SHARES), CHANNELS, 2, 3)
    return x.contiguous(memory_format=torch.channels_last)


def norms(kind, momentum, **options):
    """Two norms in turn, whose gradients meet, too."""
    torch.manual_seed(1)
    model = nn.Sequential(
        *(kind(CHANNELS, momentum=momentum, **options) for _ in range(2)))
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.5, 2)
    return model


def outcome(model, x, cubed=slice(None)):
    """Output, gradient of it, running statistics, weights' gradients."""
    x.requires_grad_()
    for _ in range(2):  # also with running statistics that are not the first
        y = model(x)
    (y[cubed]**3).sum().backward()
    return dict(
        output=y.detach(),
        gradient=x.grad,
        buffers=list(model.buffers()),
        weights=[parameter.grad for parameter in model.parameters()])


def one_of_three(rank, momentum, options):
    model = norms(nn.SyncBatchNorm, momentum, **options)
    for norm in use_synchronized_batch_norm(model):
        norm.is_counted = SHARES[rank] > 0
    first = sum(SHARES[:rank])
    x = samples()
    own = x[first:first + SHARES[rank]] if SHARES[rank] else x[:1]
    return outcome(model, own.detach().clone())


@pytest.mark.parametrize('momentum, options', [(0.1, {}),
                                               (None, dict(affine=False))])
def test_three_processes_are_like_one(tmp_path, momentum, options):
    found = in_processes(tmp_path, 3, one_of_three, momentum, options)
    wanted = outcome(norms(nn.BatchNorm2d, momentum, **options), samples())
    # float32 of about 1 after subtracting a mean of 50: 50 * 2^-23, magnified
    # by the second norm; gradients are sums of terms of about 10.
    close = dict(rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(
        torch.cat([process['output'] for process in found[:2]]),
        wanted['output'], **close)
    torch.testing.assert_close(
        torch.cat([process['gradient'] for process in found[:2]]),
        wanted['gradient'], **close)
    assert not found[2]['output'].any() and not found[2]['gradient'].any()
    for process in found:
        assert all(
            map(torch.equal, process['buffers'], found[0]['buffers']))
        torch.testing.assert_close(process['buffers'], wanted['buffers'],
                                   rtol=1e-5, atol=1e-5)
    # Each process has its own samples' part of the weights' gradients.
    assert len(wanted['weights']) == (4 if not options else 0)
    for parts, whole in zip(
            zip(*(process['weights'] for process in found)),
            wanted['weights']):
        torch.testing.assert_close(sum(parts), whole, **close)


def single_value(rank):
    norm, = use_synchronized_batch_norm(nn.Sequential(nn.SyncBatchNorm(2)))
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        norm(torch.ones(1, 2, 1, 1))
    return norm.eval()(torch.ones(1, 2, 1, 1)).tolist()


def test_a_single_value_has_no_variance(tmp_path):
    """As for torch; without training it is an ordinary norm."""
    (result, ) = in_processes(tmp_path, 1, single_value)
    assert result == [[[[pytest.approx(1, rel=1e-5)]]] * 2]
