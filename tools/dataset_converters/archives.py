"""Unpacks downloaded archives without trusting them."""
import errno
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from tqdm import tqdm

SUFFIXES = ('.zip', '.tar', '.tar.gz', '.tgz')

_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError,
           NotImplementedError, RuntimeError)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip or tar file and show how far it is.

    Args:
        archive: the file.
        target: an empty folder, or none.

    Raises:
        ValueError: if the archive is damaged, holds anything but files and
            folders, or a file that would lie outside the target. What was
            unpacked until then stays.
    """
    target.mkdir(parents=True, exist_ok=True)
    read = _unpack_zip if archive.suffix.lower() == '.zip' else _unpack_tar
    with tqdm(
            total=archive.stat().st_size,
            desc=f'unpacking {archive.name}',
            unit='B',
            unit_scale=True) as progress:
        try:
            read(archive, target, progress)
        except (*_DAMAGE, OSError) as error:
            # A damaged zip file leads to places before its beginning.
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            raise ValueError(
                f'{archive} is damaged or was not downloaded completely '
                f'({type(error).__name__}: {error}); download it '
                'again') from error


def _unpack_zip(archive: Path, target: Path, progress: tqdm) -> None:
    with zipfile.ZipFile(archive) as content:
        for entry in content.infolist():
            # Not is_dir(), which fails where a damaged name is empty.
            if not entry.filename.endswith('/'):
                mode = entry.external_attr >> 16  # as Unix has it, or 0
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                    raise ValueError(_refusal(archive, entry.filename))
                with content.open(entry) as source:
                    _write(archive, entry.filename, source, target)
            progress.update(entry.compress_size)


def _unpack_tar(archive: Path, target: Path, progress: tqdm) -> None:
    # As a stream: the file's position then tells how far it is.
    with open(archive, 'rb') as file, tarfile.open(
            fileobj=file, mode='r|*') as content:
        for entry in content:
            source = content.extractfile(entry) if entry.isfile() else None
            if source is not None:
                _write(archive, entry.name, source, target)
            elif not entry.isdir():
                raise ValueError(_refusal(archive, entry.name))
            progress.update(file.tell() - progress.n)


def _write(archive: Path, name: str, source: IO[bytes],
           target: Path) -> None:
    """Write one file of an archive below the target."""
    parts = PurePosixPath(name.replace('\\', '/')).parts
    if not parts or '..' in parts or parts[0] == '/' or ':' in parts[0]:
        raise ValueError(f'{archive} holds {name!r}, which would be written '
                         'outside the folder; such an archive is not unpacked')
    path = target.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'wb') as file:
        shutil.copyfileobj(source, file, 1 << 20)


def _refusal(archive: Path, name: str) -> str:
    return (f'{archive} holds {name!r}, which is neither a file nor a folder '
            'but a link or the like; such an archive is not unpacked')
