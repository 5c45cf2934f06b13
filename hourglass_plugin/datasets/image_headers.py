"""Sizes of images from their files' headers, read once and remembered."""
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.utils import track_iter_progress

from ..atomic_files import atomic_file
from ..transforms.image_io import (
    ImageHeader,
    UnreadableImageError,
    load_image,
    read_header,
)

#: Images from which on there is a progress bar, and a file of their headers.
_MANY = 1000
_BATCH = 100

# Time and length of a file, and its header.
_Entry = tuple[Any, ImageHeader]


def read_headers(
        paths: Iterable[str]) -> dict[str, ImageHeader | UnreadableImageError]:
    """Return the header of each image, or why it cannot be read.

    Headers of many images are remembered in the user's cache folder, for the
    next run; a file that has changed since is read again. Remote files, which
    have an address, are not looked at and not in the result.
    """
    paths = sorted({path for path in paths if '://' not in path})
    memory = _memory_file(paths[0]) if len(paths) >= _MANY else None
    known = {} if memory is None else _remembered(memory)
    batches: Any = [paths[first:first + _BATCH]
                    for first in range(0, len(paths), _BATCH)]
    if is_main_process() and _MANY <= sum(
            os.path.abspath(path) not in known for path in paths):
        print(f'image headers, {_BATCH} at a time:', file=sys.stderr)
        batches = track_iter_progress(batches, file=sys.stderr)
    headers: dict[str, ImageHeader | UnreadableImageError] = {}
    found: dict[str, _Entry] = {}
    with ThreadPoolExecutor(8) as pool:
        for batch in batches:
            read = pool.map(lambda path: _read(path, known), batch)
            for path, (stamp, header) in zip(batch, read):
                headers[path] = header
                if isinstance(header, ImageHeader):
                    found[os.path.abspath(path)] = stamp, header
    if memory is not None and is_main_process() and not (
            found.items() <= known.items()):
        with suppress(OSError), atomic_file(memory) as partial:
            partial.write_text(json.dumps({
                path: (stamp, *header)
                for path, (stamp, header) in {**known, **found}.items()}))
    for path, header in headers.items():
        if isinstance(header, ImageHeader) and header.has_16_bits:
            with suppress(UnreadableImageError):
                load_image(path)  # which tells how the first is read
            break
    return headers


def _read(path: str, known: dict[str, _Entry]) -> tuple[
        Any, ImageHeader | UnreadableImageError]:
    """Return an image's stamp and header, as known if the stamp is."""
    try:
        status = os.stat(path)
        stamp = [status.st_mtime_ns, status.st_size]
        entry = known.get(os.path.abspath(path))
        if entry is not None and entry[0] == stamp:
            return entry
        return stamp, read_header(path)
    except OSError as error:
        if not isinstance(error, UnreadableImageError):
            error = UnreadableImageError(path, error.strerror)
        return None, error


def _memory_file(path: str) -> Path:
    """Return the file that remembers the headers in an image's folder."""
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    folder = os.path.abspath(os.path.dirname(path))
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(cache, 'hourglass_plugin', f'{name}.json')


def _remembered(memory: Path) -> dict[str, _Entry]:
    """Return the headers in a file; none if it is missing or damaged."""
    try:
        content = json.loads(memory.read_bytes())
        return {path: (stamp, ImageHeader(tuple(size), tuple(stored), deep))
                for path, (stamp, size, stored, deep) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
