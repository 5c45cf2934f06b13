"""A sampler that tells each sample with which seed it is augmented."""
import itertools
from collections.abc import Iterator
from typing import Any

from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


class SampleIndex(int):
    """Position of a sample, with the seed of its augmentation.

    Data set wrappers (``RepeatDataset``, ``ConcatDataset``, MMPose's
    ``CombinedDataset``) turn positions into positions of their parts by ``-``
    and ``%``; the seed stays with them.

    Args:
        index: position in the data set, from 0.
        seed: the sampler's seed, the epoch, and the position in the whole
            data set.
    """

    seed: tuple[int, int, int]

    def __new__(cls, index: int, seed: tuple[int, int, int]) -> 'SampleIndex':
        """An int that knows its seed."""
        sample = super().__new__(cls, index)
        sample.seed = seed
        return sample

    def __reduce__(self) -> tuple:
        return type(self), (int(self), self.seed)

    def __sub__(self, other: int) -> 'SampleIndex':
        return type(self)(int(self) - int(other), self.seed)

    def __mod__(self, other: int) -> 'SampleIndex':
        return type(self)(int(self) % int(other), self.seed)


@DATA_SAMPLERS.register_module()
class SeededSampler(DefaultSampler):
    """mmengine's ``DefaultSampler`` for augmentation that can be repeated.

    With ``dict(type='SeedAugmentation')`` as the first transform a sample's
    augmentation follows from the runner's seed, the epoch and the sample's
    position, and from nothing else: not from the number of loader or training
    processes, and not from restarts. Arguments are those of
    ``DefaultSampler``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._first = 0

    def begin_at(self, position: int) -> None:
        """Begin the next epoch, and only that, further on.

        Args:
            position: how many samples of this process are left out.
        """
        self._first = position

    def __iter__(self) -> Iterator[SampleIndex]:
        """Iterate over positions with their seeds."""
        first, self._first = self._first, 0
        for index in itertools.islice(super().__iter__(), first, None):
            yield SampleIndex(index, (self.seed, self.epoch, index))
