"""Data sets of people with one crop each, for MMPose's top-down pipelines."""
from abc import abstractmethod
from pathlib import Path
from typing import List, Optional

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from ..skeletons import LSP, MPII, Skeleton
from .annotation_files import Person, add_head_sizes, read_pose_json

#: A person's ``scale`` is the size divided by this many pixels (MPII).
SCALE_UNIT = 200.0


class _PersonDataset(BaseCocoStyleDataset):
    """Turns people into the records that MMPose's pipelines expect.

    ``bbox_scale`` is the annotated size; ``GetBBoxCenterScale(padding=1.25)``
    makes it the paper's crop.
    """

    skeleton: Skeleton

    @abstractmethod
    def load_people(self) -> List[Person]:
        """Read the annotation file."""

    def crop_center(self, person: Person) -> np.ndarray:
        """Middle of the crop, (2,) in pixels."""
        return person.center

    def load_data_list(self) -> List[dict]:
        """One record per person, in the file's order."""
        image_folder = Path(self.data_prefix['img'])
        image_ids: dict = {}
        records = []
        for index, person in enumerate(self.load_people()):
            center = self.crop_center(person).reshape(1, 2)
            scale = np.full((1, 2), person.scale * SCALE_UNIT, np.float32)
            record = dict(
                id=index,
                img_id=image_ids.setdefault(person.image, len(image_ids)),
                img_path=str(image_folder / person.image),
                bbox_center=center,
                bbox_scale=scale,
                bbox=np.concatenate([center - scale / 2, center + scale / 2],
                                    axis=1),
                bbox_score=np.ones(1, np.float32),
                keypoints=person.keypoints[None],
                keypoints_visible=person.annotated[None].astype(np.float32),
                category_id=1)
            if person.head_size is not None:
                record['head_size'] = np.full((1, 1), person.head_size,
                                              np.float32)
            records.append(record)
        return records


@DATASETS.register_module()
class MPIIDataset(_PersonDataset):
    """MPII Human Pose, single people.

    Reads the JSON files that HRNet and MMPose use (1-based pixels). The crop's
    centre is the annotated one moved down by 15 * scale pixels, as in the
    paper's code.

    Args:
        headbox_file: ``mpii_gt_val.mat``, needed to compute PCKh; relative to
            ``data_root``. People are matched by their joints.
        arguments: those of mmengine's ``BaseDataset``: ``ann_file``,
            ``data_root``, ``data_prefix=dict(img=...)``, ``pipeline``,
            ``test_mode``, ``indices``, ...
    """

    skeleton = MPII
    METAINFO = MPII.metainfo()

    def __init__(self, headbox_file: Optional[str] = None,
                 **arguments) -> None:
        self.headbox_file = headbox_file
        super().__init__(**arguments)

    def load_people(self) -> List[Person]:
        """Read the annotation file and, if given, the head boxes."""
        people = read_pose_json(self.ann_file, self.skeleton, first_pixel=1)
        if self.headbox_file is None:
            return people
        return add_head_sizes(
            people,
            Path(self.data_root or '') / self.headbox_file, self.ann_file)

    def crop_center(self, person: Person) -> np.ndarray:
        """The annotated centre, 15 * scale pixels lower."""
        return person.center + np.array([0, 15 * person.scale], np.float32)


@DATASETS.register_module()
class LSPDataset(_PersonDataset):
    """Leeds Sports Pose and its extension, in MPII-style JSON.

    The file is a list of people with 14 joints, in 0-based pixels. Arguments
    are those of mmengine's ``BaseDataset``.
    """

    skeleton = LSP
    METAINFO = LSP.metainfo()

    def load_people(self) -> List[Person]:
        """Read the annotation file."""
        return read_pose_json(self.ann_file, self.skeleton, first_pixel=0)
