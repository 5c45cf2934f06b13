"""Entries of the annotation files that converters write."""
from collections.abc import Sequence

import numpy as np


def pose_json_entries(people: Sequence,
                      first_pixel: int,
                      center_drop: float = 0.0) -> list[dict]:
    """Return people as MPII-style JSON, which ``read_pose_json`` reads again.

    Coordinates are rounded to a thousandth of a pixel.

    Args:
        people: ``readers.person.Person`` each.
        first_pixel: number of the first pixel in the file, 0 or 1.
        center_drop: subtracted, times the scale, from y of the centres.
    """
    first = np.float64(first_pixel)
    entries = []
    for person in people:
        center = person.center - np.array([0, center_drop * person.scale],
                                          np.float32)
        keypoints = np.where(person.annotated[:, None],
                             person.keypoints + first, -1)
        entry = dict(
            image=person.image,
            center=np.round(center + first, 3).tolist(),
            scale=round(person.scale, 6),
            joints=np.round(keypoints, 3).tolist(),
            joints_vis=person.annotated.astype(int).tolist())
        if person.visible is not None:
            entry['joints_visible'] = person.visible.astype(int).tolist()
        for name in ('head_size', 'torso_size'):
            if getattr(person, name) is not None:
                entry[name] = round(getattr(person, name), 6)
        if person.official_index is not None:
            entry['official_index'] = list(person.official_index)
        entries.append(entry)
    return entries
