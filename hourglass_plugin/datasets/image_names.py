"""Names of images in annotation files, which stay below the image folder.

Whoever writes an annotation file must not choose which files of this machine
are read: pictures of predictions, sheets and reports show them.
"""
import os
import re
import unicodedata
from pathlib import PureWindowsPath
from typing import Any, Optional


def check_image_name(name: Any, where: str,
                     folder: Optional[str] = None) -> None:
    """Refuse a name that leads out of the image folder or breaks a line.

    Nothing on the disk is looked at: a link inside the folder is the user's
    own, and may lead anywhere.

    Args:
        name: as it stands in the file.
        where: file and entry, for the message.
        folder: the image folder, where absolute names below it are allowed;
            None allows none.

    Raises:
        ValueError: if it is no text, holds ``..``, an address of another kind
            than files, or what cannot be written to logs and files: control
            characters, and halves of characters, as which Python holds the
            bytes of names in Latin-1; or if it is an absolute path outside
            the folder.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{where}: the image's name must be a text, but is "
                         f'{name!r}')
    if any(unicodedata.category(letter) in ('Cc', 'Cs') for letter in name):
        raise ValueError(f'{where}: the image {name!r} has a control '
                         'character or one that UTF-8 does not have in its '
                         'name; rename the file, and write the new name')
    if '..' in re.split(r'[/\\]', name) or '://' in name:
        raise ValueError(f'{where}: the image {name!r} leads out of the image '
                         'folder; write its name below that folder')
    windows = PureWindowsPath(name)
    if not (os.path.isabs(name) or windows.drive or windows.root):
        return
    if folder is None:
        raise ValueError(f'{where}: the image {name!r} is an absolute path; '
                         'write its name below the image folder')
    folder = os.path.join(os.path.abspath(folder), '')
    if not os.path.abspath(name).startswith(folder):
        raise ValueError(
            f'{where}: the image {name!r} lies outside of the image folder '
            f'{folder}; if you trust the file, make data_prefix=dict(img=...) '
            'a folder that holds all of its images')
