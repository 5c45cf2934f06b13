"""Batch norm over the batches of all processes, on processors as on GPUs.

Shape shorthand: B batch of this process, C channels, N values of a channel in
all processes.
"""
from typing import Any, Optional

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn


class _Attendant(nn.Module):
    """A norm whose process may have no samples."""

    #: False while this process's batch only keeps the others company: it is
    #: left out of the statistics, and what comes out is zero.
    is_counted = True

    def forward(self, input: Tensor) -> Tensor:
        if self.is_counted or not self.training:
            return super().forward(input)
        # Collectives are entered without samples, too, forward and backward.
        return input * 0 + super().forward(input[:0].float()).sum()


class ProcessorSyncBatchNorm(nn.modules.batchnorm._BatchNorm):
    """What torch's ``SyncBatchNorm`` is on GPUs, on processors.

    torch's refuses their tensors. Output, running statistics and gradients
    are those of an ordinary batch norm over the batches of all processes
    together, which may be of different sizes. Arguments are those of
    ``BatchNorm2d``; it is one unless processes are connected.
    """

    process_group: Optional[Any] = None

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, ...).

        Raises:
            ValueError: if there is a single value of each channel.
        """
        if self.training and dist.is_initialized():
            return self._normalise(input)
        return super().forward(input)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError('expected 2 dimensions or more, got '
                             f'{input.dim()}')

    def _normalise(self, x: Tensor) -> Tensor:
        y, mean, variance, count = _Normalise.apply(x, self.weight, self.bias,
                                                    self.eps,
                                                    self.process_group)
        tracked = self.num_batches_tracked
        if (self.running_mean is not None and self.running_var is not None
                and tracked is not None):
            tracked.add_(1)
            # With momentum=None the mean of all batches.
            momentum = self.momentum
            if momentum is None:
                momentum = 1 / tracked.item()  # on a processor: no wait
            unbiased = variance * (count / (count - 1))
            with torch.no_grad():
                self.running_mean.lerp_(mean.to(self.running_mean), momentum)
                self.running_var.lerp_(
                    unbiased.to(self.running_var), momentum)
        return y


class _Normalise(torch.autograd.Function):
    """Output (B, C, ...), mean (C,), biased variance (C,) and N."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Optional[Tensor],
                bias: Optional[Tensor], eps: float,
                group: Optional[Any]) -> tuple[Tensor, ...]:
        channels = x.shape[1]
        dims = _all_but_channels(x)
        # Differences of means are squared: in double precision.
        own = torch.zeros(2 * channels + 1, dtype=torch.float64)
        if len(x):
            variance, mean = torch.var_mean(
                x.to(_precision(x)), dims, correction=0)
            own[:channels], own[channels:-1] = mean, variance
            own[-1] = x.numel() // channels
        gathered = [
            torch.empty_like(own) for _ in range(dist.get_world_size(group))
        ]
        dist.all_gather(gathered, own, group)
        means, variances, counts = torch.stack(gathered).split(
            [channels, channels, 1], dim=1)
        count = counts.sum()
        if count <= 1:
            raise ValueError('Expected more than 1 value per channel when '
                             f'training, got input size {tuple(x.shape)}')
        shares = counts / count
        mean = (shares * means).sum(0)
        variance = (shares * (variances + (means - mean)**2)).sum(0)
        ctx.group, ctx.count = group, count
        precision = _precision(x)
        ctx.save_for_backward(x, weight, mean.to(precision),
                              (variance + eps).rsqrt().to(precision))
        ctx.mark_non_differentiable(mean, variance, count)
        y = x.clone()
        if len(x):
            y = F.batch_norm(x, mean.to(precision), variance.to(precision),
                             weight, bias, False, 0., eps)
        return y, mean, variance, count

    @staticmethod
    def backward(ctx: Any, slope: Tensor,
                 *_: Any) -> tuple[Optional[Tensor], ...]:
        x, weight, mean, inverse_deviation = ctx.saved_tensors
        dims = _all_but_channels(x)
        shape = [1, -1] + [1] * (x.dim() - 2)
        slope = slope.to(mean.dtype)
        normal = (x.to(mean.dtype) -
                  mean.view(shape)).mul_(inverse_deviation.view(shape))
        of_bias, of_weight = slope.sum(dims), (slope * normal).sum(dims)
        sums = torch.stack([of_bias, of_weight]).double()
        dist.all_reduce(sums, group=ctx.group)
        first, second = (sums / ctx.count).to(mean.dtype)
        # d/dx of (x - mean) / deviation, which both depend on all x
        of_x = slope - first.view(shape) - normal.mul_(second.view(shape))
        factor = inverse_deviation if weight is None else (
            inverse_deviation * weight)
        of_x = of_x.mul_(factor.view(shape)).to(x.dtype)
        if weight is None:
            return of_x, None, None, None, None
        return of_x, of_weight, of_bias, None, None


def _precision(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _all_but_channels(x: Tensor) -> list[int]:
    return [0, *range(2, x.dim())]


class _OnProcessors(_Attendant, ProcessorSyncBatchNorm):
    """The package's own."""


class _OnGPUs(_Attendant, nn.SyncBatchNorm):
    """torch's own."""


def use_synchronized_batch_norm(model: nn.Module) -> list[nn.Module]:
    """Have torch's ``SyncBatchNorm`` work on processors and without samples.

    On GPUs it stays torch's own.

    Args:
        model: whose layers are changed; parameters, buffers and hooks stay.

    Returns:
        The layers. ``is_counted`` of each may be set to False while the
        process's batch only keeps the others company: it is left out of the
        statistics, and what comes out is zero.
    """
    norms: list[nn.Module] = [
        norm for norm in model.modules()
        if isinstance(norm, (nn.SyncBatchNorm, _Attendant))
    ]
    for norm in norms:
        is_on_processor = all(x.device.type == 'cpu' for x in (
            *norm.parameters(), *norm.buffers()))
        norm.__class__ = _OnProcessors if is_on_processor else _OnGPUs
    return norms
