"""pycocotools under the names and with the defaults of xtcocotools.

MMPose reads and evaluates COCO-style data through xtcocotools, which has no
wheels for Python 3.12 and does not import with NumPy 2. :mod:`.imports` gives
MMPose these classes where xtcocotools does not import.
"""
from collections.abc import Sequence

import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO as PycocotoolsCOCO
from pycocotools.cocoeval import COCOeval as PycocotoolsCOCOeval

__all__ = ['COCO', 'COCOeval', 'mask']


class COCO(PycocotoolsCOCO):
    """COCO annotations, with the defaults that they may lack."""

    def createIndex(self) -> None:
        """Fill in the defaults, then index annotations by image and id."""
        for annotation in self.dataset.get('annotations', []):
            annotation.setdefault('iscrowd', False)
            if annotation.get('keypoints'):
                annotation.setdefault('num_keypoints', int(np.count_nonzero(
                    annotation['keypoints'][2::3])))
        super().createIndex()


class COCOeval(PycocotoolsCOCOeval):
    """COCO's evaluation with a dataset's own keypoint sigmas.

    Args:
        cocoGt: annotations.
        cocoDt: results, from ``cocoGt.loadRes``.
        iouType: ``'keypoints'``, ``'bbox'`` or ``'segm'``.
        sigmas: standard deviation per keypoint, (K,), relative to the size of
            the object; COCO's 17 by default.
        use_area: take the object's size from ``area``.

    Raises:
        ValueError: for evaluations of xtcocotools alone: CrowdPose, whole
            bodies and objects without an area.
    """

    def __init__(self, cocoGt: COCO | None = None, cocoDt: COCO | None = None,
                 iouType: str = 'keypoints',
                 sigmas: Sequence[float] | None = None,
                 use_area: bool = True) -> None:
        if iouType not in ('keypoints', 'bbox', 'segm') or not use_area:
            raise ValueError(
                f'iouType={iouType!r} with use_area={use_area} needs '
                'xtcocotools, which does not import here (it needs numpy<2)')
        super().__init__(cocoGt, cocoDt, iouType)
        if iouType == 'keypoints' and sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas)
