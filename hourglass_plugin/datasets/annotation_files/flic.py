"""Every file in which FLIC's people come."""
from pathlib import Path
from typing import List, Optional, Union

from ...skeletons import FLIC
from .person import Person
from .pose_json import read_pose_json


def read_flic(path: Union[str, Path],
              subset: Optional[str] = None,
              labels: str = 'observer') -> List[Person]:
    """Read FLIC's people."""
    return read_pose_json(path, FLIC, first_pixel=1)
