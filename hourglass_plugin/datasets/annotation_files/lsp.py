"""Every file in which the people of Leeds Sports Pose come."""
from pathlib import Path
from typing import List, Optional, Union

from ...skeletons import LSP
from .person import Person
from .pose_json import read_pose_json


def read_lsp(path: Union[str, Path],
             subset: Optional[str] = None) -> List[Person]:
    """Read the people of Leeds Sports Pose or of its extension."""
    return read_pose_json(path, LSP, first_pixel=0)
