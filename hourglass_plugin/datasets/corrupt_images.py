"""Images that cannot be used: named, or skipped in training and counted."""
import logging
from collections import Counter
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from ..transforms.image_io import UnreadableImageError, load_image
from .samplers import SampleIndex

#: Replacements that are tried for one sample; if all are unreadable, the
#: image folder is wrong.
MAX_REPLACEMENTS = 20

_SHOWN = 5


class SkipCorruptImagesDataset(BaseCocoStyleDataset):
    """Name images that cannot be used, or skip them in training.

    Args:
        skip_corrupt: replace a sample whose image cannot be used by another,
            for training only. The choice follows from the sampler's seed, the
            epoch and the sample's position alone, for any number of processes.
            The files are in the sample's meta information ``skipped_images``,
            which ``CorruptImagesHook`` counts.
        arguments: those of mmengine's ``BaseDataset``.

    Raises:
        ValueError: if ``skip_corrupt`` is set for an evaluation.
    """

    def __init__(self, *arguments: Any, skip_corrupt: bool = False,
                 **named_arguments: Any) -> None:
        if skip_corrupt and named_arguments.get('test_mode', False):
            raise ValueError('skip_corrupt=True is for training: scores '
                             'without some people are not comparable')
        self.skip_corrupt = skip_corrupt
        super().__init__(*arguments, **named_arguments)

    def __getitem__(self, idx: int) -> dict:
        """Return a sample, or its replacement.

        Raises:
            UnreadableImageError: if its image cannot be used.
        """
        try:
            return self._load(idx)
        except UnreadableImageError as error:
            if not self.skip_corrupt:
                raise
            skipped = [error]
        seed = getattr(idx, 'seed', None)
        # Without a seed, from NumPy's global generator, as mmengine does.
        random = np.random.default_rng(
            np.random.randint(1 << 31, size=3) if seed is None else seed)
        for other in random.integers(len(self), size=MAX_REPLACEMENTS):
            other = SampleIndex(int(other), seed) if seed else int(other)
            try:
                sample = self._load(other)
            except UnreadableImageError as error:
                skipped.append(error)
                continue
            sample['data_samples'].set_metainfo(
                dict(skipped_images=[error.path for error in skipped]))
            return sample
        raise UnreadableImageError(
            skipped[-1].path, f'{skipped[-1].reason}; so are the '
            f'{MAX_REPLACEMENTS} images before it')

    def _load(self, index: int) -> dict:
        """Return a sample; name it in the error about its image."""
        try:
            return super().__getitem__(index)
        except UnreadableImageError as error:
            cause = error
        except Exception:  # MMPose's LoadImage: of any class
            try:
                load_image(self.get_data_info(index)['img_path'])
            except UnreadableImageError as error:
                cause = error
            else:
                raise
        remedy = '' if self.test_mode or self.skip_corrupt else (
            '; skip_corrupt=True of the dataset skips such images')
        raise UnreadableImageError(
            cause.path, f'{cause.reason} (sample {int(index)} of '
            f'{self.ann_file}){remedy}') from cause


@HOOKS.register_module()
class CorruptImagesHook(Hook):
    """Count the images that datasets with ``skip_corrupt=True`` skip.

    After each epoch, a warning states how many samples were replaced and
    names the first images, over all training processes. When training resumes
    in the middle of an epoch, those since then are counted.
    """

    def __init__(self) -> None:
        self._counts: Counter = Counter()  # of each file, in this epoch

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: Any = None, outputs: Any = None) -> None:
        """Count a batch."""
        if isinstance(data_batch, dict):
            for sample in data_batch.get('data_samples', ()):
                self._counts.update(getattr(sample, 'skipped_images', ()))

    def after_train_epoch(self, runner: Runner) -> None:
        """Log the images that this epoch has skipped."""
        counts: Counter = sum(all_gather_object(self._counts), Counter())
        self._counts = Counter()
        if counts:
            names = ', '.join(sorted(counts)[:_SHOWN])
            print_log(
                f'epoch {runner.epoch + 1}: {sum(counts.values())} samples '
                f'were replaced because of {len(counts)} unreadable images: '
                f'{names}{", ..." if len(counts) > _SHOWN else ""}', 'current',
                logging.WARNING)
