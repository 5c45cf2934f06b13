"""Find files by name in downloads, and unpack archives if needed."""
import errno
import fnmatch
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tqdm import tqdm

_DISK = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)
_SUFFIXES = ('.zip', '.tar', '.tar.gz', '.tgz')


class Downloads:
    """Downloaded files, and those in archives among them.

    Names are compared in lower case with patterns of :mod:`fnmatch`.

    Args:
        paths: files, and folders with files at any depth.
        archives: names of archives that may be unpacked; archives in ``paths``
            itself may be, too.
        scratch: folder to unpack to.
        ignored: files and folders that are no downloads.

    Raises:
        FileNotFoundError: if a path does not exist.
    """

    def __init__(self, paths: Sequence[str], archives: Sequence[str],
                 scratch: Path, ignored: Sequence[Path]) -> None:
        self._scratch = scratch
        self._ignored = {path.resolve() for path in ignored}
        self._names: dict[Path, set[str]] = {}  # folder -> names of its files
        named = set()
        for path in map(Path, paths):
            if path.is_dir():
                self._search(path)
            elif path.is_file():
                self._names.setdefault(path.parent, set()).add(path.name)
                named.add(path)
            else:
                raise FileNotFoundError(f'there is no file or folder {path}')
        packed = [
            path for path in named.union(self.files(*archives))
            if path.name.lower().endswith(_SUFFIXES)
        ]
        self._packed = sorted(packed, key=lambda path: path.stat().st_size)

    def files(self, *patterns: str) -> list[Path]:
        """Return files with such names, without those in packed archives."""
        return sorted(folder / name for folder, names in self._names.items()
                      for name in names if _matches(name, patterns))

    def find(self,
             patterns: Sequence[str],
             archives: Sequence[str] = ('*', )) -> Path | None:
        """Return the file with such a name; None if there is none.

        If need be, archives with the given names are unpacked, the smallest
        first.

        Raises:
            ValueError: if several have different contents.
        """
        found = self.files(*patterns)
        while not found and self.unpack_next(*archives):
            found = self.files(*patterns)
        return only(found)

    def unpack_next(self, *patterns: str) -> bool:
        """Unpack the smallest remaining archive; False if there is none."""
        for archive in self._packed:
            if _matches(archive.name, patterns):
                self._packed.remove(archive)
                target = self._scratch / str(len(self._packed)) / archive.name
                unpack(archive, target)
                self._search(target)
                return True
        return False

    def folders_with(self, names: set[str]) -> dict[Path, int]:
        """Return the folders with some of these files, and how many."""
        counts = {
            folder: len(names & present)
            for folder, present in self._names.items()
        }
        return {folder: count for folder, count in counts.items() if count}

    def _search(self, top: Path) -> None:
        seen = set()
        for folder, folders, names in os.walk(top, followlinks=True):
            real = Path(folder).resolve()
            # Links can be cyclic; macOS packs a shadow of every file.
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


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)


def only(paths: Sequence[Path]) -> Path | None:
    """Return the file of which all are copies; None if there is none.

    Raises:
        ValueError: if several have different contents.
    """
    if len(paths) > 1 and len({path.read_bytes() for path in paths}) > 1:
        raise ValueError(
            f'ambiguous files: {", ".join(map(str, paths))}; name the right '
            'one with its option, or move the others away')
    return paths[0] if paths else None


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip or tar file below a folder.

    Raises:
        ValueError: if it is damaged or has links or names that lead outside.
            Files that are unpacked already stay.
    """
    target.mkdir(parents=True, exist_ok=True)
    print(f'unpacking {archive.name}', file=sys.stderr)
    try:
        if archive.suffix.lower() == '.zip':
            with zipfile.ZipFile(archive) as zipped:
                for name in tqdm(zipped.namelist(), unit='file'):
                    zipped.extract(name, target)  # never outside
            return
        with tarfile.open(archive, 'r|*') as tar:
            for member in tqdm(tar, unit='file'):
                if hasattr(tarfile, 'data_filter'):
                    tar.extract(member, target, filter='data')
                else:  # Python before 3.10.12 and 3.11.4
                    name = PurePosixPath(member.name)
                    if '..' in name.parts or name.is_absolute() or not (
                            member.isfile() or member.isdir()):
                        raise tarfile.TarError(f'it has {member.name!r}')
                    tar.extract(member, target)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError,
            LookupError, RuntimeError, ValueError, OSError) as error:
        # Damage can also look like an invalid name or position.
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        raise ValueError(
            f'{archive} is damaged or was not downloaded completely '
            f'({type(error).__name__}: {error}); download it '
            'again') from error
