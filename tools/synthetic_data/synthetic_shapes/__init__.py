"""Drawn shapes with exact boxes: the data set to try detectors with.

It needs no download and exists to see the whole machine run; it tells nothing
about photographs. ``sample`` draws one picture with its boxes, ``writer``
writes files in COCO's format. Needs NumPy and OpenCV.
"""
from synthetic import Settings

from synthetic_shapes.sample import CLASSES, Sample, box_of, make_sample
from synthetic_shapes.writer import is_complete, write_data_set

__all__ = [
    'CLASSES', 'Sample', 'Settings', 'box_of', 'is_complete', 'make_sample',
    'write_data_set'
]
