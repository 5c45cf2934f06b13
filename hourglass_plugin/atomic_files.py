"""Files that appear under their name when they are complete."""
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Union


@contextmanager
def atomic_file(path: Union[str, Path]) -> Iterator[Path]:
    """A file beside ``path`` that takes its name when all went well.

    Otherwise it is removed, and an older file of the name stays as it was.

    Args:
        path: the file to be; its folder is made.

    Yields:
        The path to write to, with the same suffix.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(
        f'.{target.stem}.{os.getpid()}.partial{target.suffix}')
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def remove_partial_files(folder: Union[str, Path]) -> list[Path]:
    """Remove what a process left that was killed while it wrote.

    Args:
        folder: where nobody else is writing.

    Returns:
        The files that were removed.
    """
    left = [
        path for path in Path(folder).glob('.*')
        if re.fullmatch(r'\..+\.\d+\.partial(\..*)?', path.name)
    ]
    for path in left:
        path.unlink(missing_ok=True)
    return left
