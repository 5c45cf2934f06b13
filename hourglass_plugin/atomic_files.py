"""Files that appear under their name when complete."""
import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def check_outputs(outputs: Mapping[str, str | Path | None],
                  inputs: Iterable[str | Path | None] = ()) -> None:
    """Check before a long run that its files can be written.

    Args:
        outputs: the argument's name, for the message -> the file to be, or
            None.
        inputs: files that are read, or None.

    Raises:
        ValueError: if a file is read, too, or there twice, is a folder or a
            device, or its folder cannot be made or written to.
    """
    taken = {os.path.realpath(path) for path in inputs if path is not None}
    for name, path in outputs.items():
        if path is None:
            continue
        if os.path.realpath(path) in taken:
            raise ValueError(f'{name} {path} would overwrite an input or '
                             'another output: choose another name')
        taken.add(os.path.realpath(path))
        if os.path.exists(path) and not os.path.isfile(path):
            raise ValueError(f'{name} {path} is a folder or a device: choose '
                             'another name')
        folder = Path(os.path.realpath(path)).parent
        while not folder.exists():
            folder = folder.parent
        if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            raise ValueError(f'{name} {path} cannot be written: {folder} is '
                             'no folder, or one without permission to write')


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its name when all went well.

    Otherwise it is removed, and an older file of the name stays as it was. A
    link stays, and what it leads to is written.

    Args:
        path: the file to be; its folder is made.

    Yields:
        The path to write to, with the same suffix.

    Raises:
        OSError: if the file cannot be written, or ``path`` is a folder or a
            device; names ``path``.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, 'is a folder', str(path))
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, 'is no file', str(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(
        f'.{target.stem}.{os.getpid()}.partial{target.suffix}')
    try:
        yield partial
        os.replace(partial, target)
    except OSError as error:
        # The temporary name is unknown to users; a full disk names none.
        if error.errno is not None and error.filename in (None, str(partial)):
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def remove_partial_files(folder: str | Path) -> list[Path]:
    """Remove the files of processes that were killed while writing.

    Args:
        folder: in which no other process is writing.

    Returns:
        The files that were removed.
    """
    left = [path for path in Path(folder).glob('.*')
            if re.fullmatch(r'\..+\.\d+\.partial(\..*)?', path.name)]
    for path in left:
        path.unlink(missing_ok=True)
    return left
