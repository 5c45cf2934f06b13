"""Finds files by name in what was downloaded, unpacking what is needed."""
import fnmatch
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from archives import SUFFIXES, unpack


class Downloads:
    """Files that were downloaded, and those in archives among them.

    Names are compared in lower case with patterns of :mod:`fnmatch`.

    Args:
        paths: files, and folders with files at any depth.
        archives: names of the archives that may be unpacked; those that
            ``paths`` names itself may be, too.
        scratch: folder to unpack to.
        ignored: files and folders that do not count.

    Raises:
        FileNotFoundError: if a path is not there.
    """

    def __init__(self, paths: Sequence[str], archives: Sequence[str],
                 scratch: Path, ignored: Sequence[Path]) -> None:
        self._scratch = scratch
        self._ignored = {path.resolve() for path in ignored}
        self._names: dict[Path, set[str]] = {}  # folder -> names of its files
        named = []
        for path in map(Path, paths):
            if path.is_dir():
                self._search(path)
            elif path.is_file():
                self._names.setdefault(path.parent, set()).add(path.name)
                named.append(path)
            else:
                raise FileNotFoundError(f'there is no file or folder {path}')
        packed = [
            path for path in {*named, *self.files(*archives)}
            if path.name.lower().endswith(SUFFIXES)
        ]
        self._packed = sorted(packed, key=lambda path: path.stat().st_size)

    def files(self, *patterns: str) -> list[Path]:
        """Files with such names outside archives that are still packed."""
        return sorted(folder / name for folder, names in self._names.items()
                      for name in names if matches(name, patterns))

    def find_one(self,
                 patterns: Sequence[str],
                 archives: Sequence[str] = ('*', )) -> Optional[Path]:
        """The file with such a name; None if there is none.

        While there is none, archives with the names that are given are
        unpacked, the smallest first.

        Raises:
            ValueError: if there are several with different contents.
        """
        found = self.files(*patterns)
        while not found and self.unpack_next(*archives):
            found = self.files(*patterns)
        return only(found)

    def unpack_next(self, *patterns: str) -> bool:
        """Unpack the smallest archive with such a name that is left.

        Returns:
            False if there is none.
        """
        for archive in self._packed:
            if matches(archive.name, patterns):
                break
        else:
            return False
        self._packed.remove(archive)
        target = self._scratch / str(len(self._packed)) / archive.name
        unpack(archive, target)
        self._search(target)
        return True

    def folders_with(self, names: set[str]) -> dict[Path, int]:
        """How many of these files each folder has; only those with some."""
        counts = {
            folder: len(names & present)
            for folder, present in self._names.items()
        }
        return {folder: count for folder, count in counts.items() if count}

    def _search(self, top: Path) -> None:
        seen = set()
        for folder, folders, names in os.walk(top, followlinks=True):
            real = Path(folder).resolve()
            # Links can lead in circles; macOS packs a shadow of every file.
            if (real in seen or real in self._ignored
                    or real.name == '__MACOSX'):
                folders.clear()
                continue
            seen.add(real)
            self._names[Path(folder)] = {
                name
                for name in names
                if not (name.startswith('._') or real / name in self._ignored)
            }


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of the patterns, which are in lower case."""
    return any(
        fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)


def given(path: Optional[str]) -> Optional[Path]:
    """The file that an option names; None if it was not given."""
    return None if path is None else Path(path)


def only(paths: Sequence[Path]) -> Optional[Path]:
    """The file that is meant; None if there is none.

    Raises:
        ValueError: if there are several with different contents.
    """
    if len(paths) > 1 and len({path.read_bytes() for path in paths}) > 1:
        raise ValueError(
            f'several files could be meant: {", ".join(map(str, paths))}; '
            'name the right one with its option, or move the others away')
    return paths[0] if paths else None
