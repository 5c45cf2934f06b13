"""MPII, FLIC and LSP for MMPose's top-down pipelines, one crop a person."""
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.registry import DATASETS

from ..skeletons import FLIC, LSP, MPII
from .corrupt_images import SkipCorruptImagesDataset
from .readers.flic import read_flic
from .readers.lsp import read_lsp
from .readers.mpii import read_mpii
from .readers.mpii_ground_truth import add_head_sizes
from .readers.person import SCALE_UNIT, Person


class _PersonDataset(SkipCorruptImagesDataset):
    """Convert people to the records that MMPose's pipelines expect.

    ``bbox_scale`` is the person's size; ``GetBBoxCenterScale(padding=1.25)``
    makes it the paper's crop. ``raw_ann_info``, which MMPose passes on to the
    metrics, has the values that only some files have: ``visible`` (K,) bool,
    ``torso_size`` in pixels and ``official_index``. ``head_size`` is (1, 1) in
    pixels, as MMPose's metrics expect.

    Args:
        subset: of the file; None for all of it.
        arguments: those of mmengine's ``BaseDataset``, and ``skip_corrupt``.
    """

    def __init__(self, subset: str | None = None, **arguments: Any) -> None:
        self.subset = subset
        super().__init__(**arguments)

    @abstractmethod
    def load_people(self) -> list[Person]:
        """Read the annotation file."""

    def load_data_list(self) -> list[dict]:
        """Return one record per person, in the file's order.

        Raises:
            ValueError: if it contains no person or cannot be used.
        """
        image_folder = Path(self.data_prefix['img'])
        image_ids: dict = {}
        records = []
        for index, person in enumerate(self.load_people()):
            center = person.center[None]
            scale = np.full((1, 2), person.scale * SCALE_UNIT, np.float32)
            record = dict(
                id=index, category_id=1,
                img_id=image_ids.setdefault(person.image, len(image_ids)),
                img_path=str(image_folder / person.image),
                bbox_center=center, bbox_scale=scale,
                bbox=np.hstack([center - scale / 2, center + scale / 2]),
                bbox_score=np.ones(1, np.float32),
                keypoints=person.keypoints[None],
                keypoints_visible=person.annotated[None].astype(np.float32),
                raw_ann_info={
                    key: getattr(person, key)
                    for key in ('visible', 'torso_size', 'official_index')
                    if getattr(person, key) is not None})
            if person.head_size is not None:
                record['head_size'] = np.full((1, 1), person.head_size,
                                              np.float32)
            records.append(record)
        if not records:
            raise ValueError(f'{self.ann_file} contains no person of subset '
                             f'{self.subset!r}; check ann_file and subset')
        return records


@DATASETS.register_module()
class HourglassMPIIDataset(_PersonDataset):
    """MPII Human Pose, single people.

    ``ann_file`` is any of MPII's files: the official
    ``mpii_human_pose_v1_u12_1.mat``, the JSON files of HRNet and MMPose, the
    ``.h5`` files of the paper's code, or the JSON file of Convolutional Pose
    Machines; see :func:`hourglass_plugin.datasets.readers.mpii.read_mpii`. The
    crop's centre is 15 * scale pixels below the annotated one, as in the
    paper's code.

    Args:
        subset: ``'train'``, ``'val'``, ``'trainval'`` or ``'test'``, for files
            with several subsets.
        validation_file: for the official file, which does not mark Tompson's
            validation set: any other file that does, e.g.
            ``mpii_gt_val.mat``. Both files are relative to ``data_root`` or
            to the current folder.
        headbox_file: ``mpii_gt_val.mat``, needed to compute PCKh where
            ``ann_file`` has no head boxes. People are matched by joints.
        arguments: those of mmengine's ``BaseDataset``, and ``skip_corrupt``.
    """

    METAINFO = MPII.metainfo()

    def __init__(self, validation_file: str | None = None,
                 headbox_file: str | None = None, **arguments: Any) -> None:
        self.validation_file = validation_file
        self.headbox_file = headbox_file
        super().__init__(**arguments)

    def load_people(self) -> list[Person]:
        """Read the annotation file and, if given, the head boxes."""
        people = read_mpii(self.ann_file, self.subset,
                           self._path(self.validation_file))
        headbox_file = self._path(self.headbox_file)
        return people if headbox_file is None else add_head_sizes(
            people, headbox_file, self.ann_file)

    def _path(self, name: str | None) -> Path | None:
        """Return a file below ``data_root``, or the path as MMPose has it."""
        if name is None:
            return None
        path = Path(self.data_root or '', name)
        is_elsewhere = not path.is_file() and Path(name).is_file()
        return Path(name) if is_elsewhere else path


@DATASETS.register_module()
class HourglassFLICDataset(_PersonDataset):
    """Frames Labeled In Cinema: upper bodies in films.

    ``ann_file`` is the official ``examples.mat``, an ``.h5`` file of the
    paper's code or the JSON of ``prepare_flic.py``; see
    :func:`hourglass_plugin.datasets.readers.flic.read_flic`. Crops are those
    of the paper's code, 440 pixels wide; labels are observer-centric.

    Args:
        subset: ``'train'`` or ``'test'``, for files with both.
        arguments: those of mmengine's ``BaseDataset``, and ``skip_corrupt``.
    """

    METAINFO = FLIC.metainfo()

    def load_people(self) -> list[Person]:
        """Read the annotation file."""
        return read_flic(self.ann_file, self.subset)


@DATASETS.register_module()
class HourglassLSPDataset(_PersonDataset):
    """Leeds Sports Pose and its extension.

    ``ann_file`` is a ``joints.mat`` or MPII-style JSON in 0-based pixels; see
    :func:`hourglass_plugin.datasets.readers.lsp.read_lsp`.

    Args:
        subset: ``'train'`` or ``'test'``, for files with both.
        arguments: those of mmengine's ``BaseDataset``, and ``skip_corrupt``.
    """

    METAINFO = LSP.metainfo()

    def load_people(self) -> list[Person]:
        """Read the annotation file."""
        return read_lsp(self.ann_file, self.subset)
