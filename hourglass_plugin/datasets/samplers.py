"""A sampler that gives each training sample the seed of its augmentation."""
import itertools
from collections.abc import Iterator

from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


class SampleIndex(int):
    """Position of a sample, with the seed of its augmentation.

    Dataset wrappers (``RepeatDataset``, ``ConcatDataset``, MMPose's
    ``CombinedDataset``) turn positions into positions of their parts by ``-``
    and ``%``, which keep the seed.

    Args:
        index: position in the dataset, from 0.
        seed: the sampler's seed, the epoch, and the position in the whole
            dataset.
    """

    seed: tuple[int, int, int]

    def __new__(cls, index: int, seed: tuple[int, int, int]) -> 'SampleIndex':
        """Return an int with the attribute ``seed``."""
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
    """mmengine's ``DefaultSampler`` for reproducible augmentation.

    With ``dict(type='SeedAugmentation')`` as the first transform, the
    augmentation of a sample follows from the runner's seed, the epoch and the
    sample's position alone, for any number of loader or training processes
    and restarts. Arguments are those of ``DefaultSampler``.
    """

    _first = 0

    def begin_at(self, position: int) -> None:
        """Skip this many samples of this process in the next epoch only."""
        self._first = position

    def __iter__(self) -> Iterator[SampleIndex]:
        """Iterate over positions with their seeds."""
        first, self._first = self._first, 0
        for index in itertools.islice(super().__iter__(), first, None):
            yield SampleIndex(index, (self.seed, self.epoch, index))
