"""Drawn people with exact joints: the data set to try everything with.

It needs no download and exists to see the whole machine run; it tells nothing
about photographs. In the order in which a picture comes about: ``pose`` (a
skeleton takes a pose), ``clothing``, ``canvas`` (shaded solids), ``figure``
(a dressed person made of them), ``scene`` (background, things in front,
camera), ``sample`` (one picture with its annotation), ``writer`` (files).
Needs NumPy, SciPy and OpenCV.
"""
from synthetic import Settings

from synthetic_people.sample import Sample, make_sample
from synthetic_people.writer import is_complete, write_data_set

__all__ = [
    'Sample', 'Settings', 'is_complete', 'make_sample', 'write_data_set'
]
