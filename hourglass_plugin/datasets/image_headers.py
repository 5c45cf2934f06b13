"""Sizes of images from their files' headers, read once and remembered."""
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.utils import ProgressBar

from ..atomic_files import atomic_file
from ..transforms.image_io import (
    ImageHeader,
    UnreadableImageError,
    load_image,
    read_header,
)

#: Images from which on there is a progress bar, and a file of their headers.
_MANY = 1000

# Path -> time and length of the file, and its header.
_known: dict[str, tuple[list[int], ImageHeader]] = {}


def read_headers(
        paths: Iterable[str]) -> dict[str, ImageHeader | UnreadableImageError]:
    """Return the header of each image, or why it cannot be read.

    Headers of many images are remembered in the user's cache folder, for the
    next run; a file that has changed since is read again. Remote files, which
    have an address, are not looked at and not in the result.
    """
    paths = sorted({path for path in paths if '://' not in path})
    is_many = len(paths) >= _MANY
    memory = _memory_file(paths[0]) if is_many else None
    if memory is not None:
        _remember(memory)
    before = len(_known)
    is_shown = is_main_process() and _MANY <= sum(
        os.path.abspath(path) not in _known for path in paths)
    bar = ProgressBar(len(paths), start=is_shown, file=sys.stderr)
    headers = {}
    with ThreadPoolExecutor(8) as pool:
        for path, header in zip(paths, pool.map(_read, paths)):
            headers[path] = header
            if is_shown and len(headers) % max(_MANY // 10, 1) == 0:
                bar.update(_MANY // 10 or 1)
    if is_shown:
        print(' image headers', file=sys.stderr)
    if memory is not None and len(_known) > before and is_main_process():
        _save(memory, paths)
    for path, header in headers.items():
        if isinstance(header, ImageHeader) and header.has_16_bits:
            with suppress(UnreadableImageError):
                load_image(path)  # which tells how the first is read
            break
    return headers


def _read(path: str) -> ImageHeader | UnreadableImageError:
    """Return an image's header, from memory if the file is the same."""
    key = os.path.abspath(path)
    try:
        status = os.stat(path)
        stamp = [status.st_mtime_ns, status.st_size]
        if key not in _known or _known[key][0] != stamp:
            _known[key] = stamp, read_header(path)
        return _known[key][1]
    except UnreadableImageError as error:
        return error
    except (OSError, ValueError) as error:
        return UnreadableImageError(
            path, getattr(error, 'strerror', None) or str(error))


def _memory_file(path: str) -> Path:
    """Return the file that remembers the headers in an image's folder."""
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    folder = os.path.abspath(os.path.dirname(path))
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(cache, 'hourglass_plugin', f'{name}.json')


def _remember(memory: Path) -> None:
    """Add the headers in a file to those that are known."""
    try:
        for path, (stamp, size, stored, deep) in json.loads(
                memory.read_bytes()).items():
            _known.setdefault(path, (stamp, ImageHeader(
                tuple(size), tuple(stored), bool(deep))))
    except (OSError, ValueError, TypeError, AttributeError):
        return  # missing, or of another version: read again


def _save(memory: Path, paths: Iterable[str]) -> None:
    """Write the known headers to a file, if that is possible."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(memory) as partial:
            partial.write_text(json.dumps(
                {path: (_known[path][0], *_known[path][1])
                 for path in map(os.path.abspath, paths) if path in _known}))
    except OSError:
        return  # a read-only home
