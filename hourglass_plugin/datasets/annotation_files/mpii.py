"""Every file in which MPII's people come."""
from pathlib import Path
from typing import List, Optional, Union

import numpy as np

from ...skeletons import MPII
from .person import Person
from .pose_json import read_pose_json

#: Crops are centred lower than the annotated centre by this times the scale,
#: in pixels (the paper's code).
CENTER_DROP = 15.0


def read_mpii(path: Union[str, Path],
              subset: Optional[str] = None,
              validation_file: Union[str, Path, None] = None) -> List[Person]:
    """Read MPII's people."""
    return lower_centers(read_pose_json(path, MPII, first_pixel=1))


def lower_centers(people: List[Person]) -> List[Person]:
    """From annotated centres to the middles of the crops."""
    return [
        person._replace(center=person.center +
                        np.array([0, CENTER_DROP * person.scale], np.float32))
        for person in people
    ]


def raise_centers(people: List[Person]) -> List[Person]:
    """From the middles of the crops to annotated centres."""
    return [
        person._replace(center=person.center -
                        np.array([0, CENTER_DROP * person.scale], np.float32))
        for person in people
    ]
