"""Several processes that compute what one would.

Of n processes each has every n-th sample of a batch that they learn together.
The last batch of an epoch seldom divides: mmengine's samplers repeat samples
until it does, and every process's mean loss then weighs the same, whatever it
is a mean of. Here repeated samples are left out, and losses are weighted by
the samples that they are of.
"""
from typing import Any, NamedTuple, Optional, Union

import torch
import torch.distributed as dist
from mmengine.dataset import DefaultSampler
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader

from ..models.synchronized_norm import use_synchronized_batch_norm


class Share(NamedTuple):
    """Of a batch that all processes learn together, without repeats.

    Args:
        own: samples that this process has.
        total: samples that all processes have.
    """

    own: int
    total: int


def share_of_batch(loader: DataLoader, index: int) -> Optional[Share]:
    """What this process has of a batch.

    Args:
        loader: of this process.
        index: of the batch in the epoch, counted from 0.

    Returns:
        The share; None if the loader deals samples out in another way than
        mmengine's ``DefaultSampler``.
    """
    sampler = loader.sampler
    if (type(loader.batch_sampler) is not BatchSampler
            or not isinstance(sampler, DefaultSampler)):
        return None
    people, processes = len(sampler.dataset), sampler.world_size
    size = loader.batch_size * processes
    total = min(size, people - index * size)
    # Dealt out in turn, beginning with process 0.
    own = (total - sampler.rank + processes - 1) // processes
    return Share(own, total)


def leave_out_repeats(batch: Any, share: Share) -> None:
    """Take the samples out of a batch that only fill it up.

    They are its last ones. A process without any sample keeps one.

    Args:
        batch: dictionary of sequences and tensors with an entry for each
            sample; is changed. Others are left alone.
        share: what this process has of it.
    """
    count = max(share.own, 1)
    if isinstance(batch, dict):
        for name, values in batch.items():
            if isinstance(values, (Tensor, list, tuple)):
                batch[name] = values[:count]


@MODEL_WRAPPERS.register_module()
class WeightedDataParallel(MMDistributedDataParallel):
    """mmengine's data parallel model, with the losses of all samples.

    * Losses are weighted by the process's share of the samples, so that the
      mean of the processes' gradients is the gradient of the mean over all
      samples. That is for losses which are means over the samples of a batch,
      as those of heatmaps are.
    * Losses that are logged are those of all samples, too, the same in every
      process; so is whatever else the model returns beside its losses.
    * ``SyncBatchNorm`` layers work on processors, too; see
      :mod:`hourglass_plugin.models.synchronized_norm`.

    No step waits for the device. ``tools/train.py`` wraps models in this, and
    ``ResumableTrainLoop`` says what the shares are. Arguments are those of
    ``MMDistributedDataParallel``.
    """

    def __init__(self, module: nn.Module, **kwargs: Any) -> None:
        # Not a module's attribute: the model has them already.
        norms = use_synchronized_batch_norm(module)
        super().__init__(module=module, **kwargs)
        self._factor = 1.
        self._norms = tuple(norms)

    def take_share(self, share: Share) -> None:
        """Say which part of the next batch this process has."""
        self._factor = share.own * dist.get_world_size() / share.total
        for norm in self._norms:
            norm.is_counted = share.own > 0  # type: ignore[assignment]

    def train_step(self, data: Union[dict, tuple, list],
                   optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """A step of training.

        Returns:
            Scalars to log, means over all samples.
        """
        logged = super().train_step(data, optim_wrapper)
        values = torch.stack([x.detach().float() for x in logged.values()])
        dist.all_reduce(values)
        return dict(zip(logged, values / dist.get_world_size()))

    def _run_forward(self, data: Union[dict, tuple, list], mode: str) -> Any:
        outputs = super()._run_forward(data, mode)
        if mode == 'loss' and self._factor != 1:
            outputs = {
                name: [x * self._factor for x in value] if isinstance(
                    value, (list, tuple)) else value * self._factor
                for name, value in outputs.items()
            }
        return outputs
