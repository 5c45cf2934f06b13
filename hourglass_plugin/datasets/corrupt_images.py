"""What a data set does about images that cannot be used.

Missing ones, ones that are damaged or of no image format, and ones in which
the annotated box has no part.
"""
import re
from typing import Any, NamedTuple, Optional

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from .samplers import SampleIndex

_POLICIES = ('error', 'skip')

#: Images that are drawn in place of one before the whole folder is in doubt.
_MOST_IN_A_ROW = 20


class Unusable(NamedTuple):
    """Why an image could not be used."""

    path: str
    reason: str


def read_unusable(error: BaseException) -> Optional[Unusable]:
    """What an error says of an image; None if it is about anything else.

    ``TopdownCrop`` and MMPose's ``LoadImage`` raise errors of any class, with
    the same words.
    """
    found = re.search('`(.*)` occurs when loading `(.+?)`', str(error), re.S)
    return None if found is None else Unusable(found[2], found[1])


class SkipCorruptImagesDataset(BaseCocoStyleDataset):
    """A data set that names images which cannot be used, or leaves them out.

    Args:
        unreadable: ``'error'`` ends with the first such image. ``'skip'``, for
            training only, puts another sample in its place, chosen by the
            sampler's seed, the epoch and the sample's position alone: the
            same one for any number of loader or training processes, and after
            resuming. The sample's meta information has the file under
            ``skipped_images``, which ``CorruptImagesHook`` counts.
        arguments: those of mmengine's ``BaseDataset``.

    Raises:
        ValueError: if ``unreadable`` is another word, or samples shall be left
            out in an evaluation, whose scores would be those of other people.
    """

    def __init__(self,
                 *arguments: Any,
                 unreadable: str = 'error',
                 **named_arguments: Any) -> None:
        if unreadable not in _POLICIES:
            raise ValueError(f'unreadable={unreadable!r} is unknown; choose '
                             f'from {", ".join(_POLICIES)}')
        if unreadable == 'skip' and named_arguments.get('test_mode', False):
            raise ValueError(
                "unreadable='skip' is for training: scores without some of "
                'the people are not those of the data set. Take the people '
                'out of the annotation file, or replace the images')
        self.unreadable = unreadable
        super().__init__(*arguments, **named_arguments)

    def __getitem__(self, idx: int) -> dict:
        """A sample, or another in its place.

        Raises:
            ValueError: if its image cannot be used; names file and sample.
        """
        try:
            return super().__getitem__(idx)
        except Exception as error:  # any class: see read_unusable
            unusable = read_unusable(error)
            if unusable is None:
                raise
            if self.unreadable == 'error':
                raise _named(unusable, idx, self.ann_file) from error
        seed = getattr(idx, 'seed', None)
        # Without a seed, as NumPy's global generator has it, as mmengine does.
        random = np.random.default_rng(
            np.random.randint(1 << 31, size=3) if seed is None else seed)
        skipped = [unusable.path]
        for other in random.integers(len(self), size=_MOST_IN_A_ROW).tolist():
            if seed is not None:
                other = SampleIndex(other, seed)
            try:
                sample = super().__getitem__(other)
            except Exception as error:
                unusable = read_unusable(error)
                if unusable is None:
                    raise
                skipped.append(unusable.path)
                continue
            sample['data_samples'].set_metainfo(dict(skipped_images=skipped))
            return sample
        raise _named(
            unusable._replace(reason=f'{unusable.reason}, as the '
                              f'{_MOST_IN_A_ROW} before it'), other,
            self.ann_file)


def _named(unusable: Unusable, index: int, annotation_file: str) -> ValueError:
    return ValueError(f'`{unusable.reason}` occurs when loading '
                      f'`{unusable.path}`, sample {int(index)} of '
                      f'{annotation_file}')
