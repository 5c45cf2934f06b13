"""Find a dataset's images, check them, and bring them to their folder."""
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from converter_downloads import Downloads
from PIL import Image
from tqdm import tqdm

_THREADS = 8
_SHOWN_PROBLEMS = 20


class ImageFolder(NamedTuple):
    """A folder of images that annotations name.

    Attributes:
        target: its place below the dataset's folder.
        prefix: of its image names in the annotations.
        given: where the images are, if the user named it.
        near: preferred parent folder, if several have such names.
        option: with which the user can name it.
    """

    target: str
    prefix: str
    given: str | None
    near: Path
    option: str


class Place(NamedTuple):
    """Where the images of a folder are.

    Attributes:
        source: folder that has them now.
        shown: its name for the user: in its archive, if it was unpacked here.
        target: below the dataset's folder.
        names: of the images, below either.
        stays: whether source and target are the same.
    """

    source: Path
    shown: Path
    target: str
    names: list[str]
    stays: bool


def find_images(folder: ImageFolder, names: Sequence[str],
                downloads: Downloads, out: Path, unpacked: Path, copy: bool,
                prefer_downloads: bool) -> Place:
    """Find the folder with most of the images; archives are the last resort.

    Args:
        folder: its description.
        names: of the images, with the folder's prefix.
        downloads: where to look; archives are unpacked if needed.
        out: the dataset's folder, where images may be already.
        unpacked: the folder to which archives are unpacked.
        copy: whether a link to the images must be replaced.
        prefer_downloads: use images in ``out`` only if there are no others.

    Raises:
        FileNotFoundError: if a folder has no such images.
    """
    target = out / folder.target
    names = [name[len(folder.prefix):] for name in names]
    wanted = set(names)
    in_place = {}
    if folder.given is not None:
        if not Path(folder.given).is_dir():
            raise FileNotFoundError(f'there is no folder {folder.given}')
        found = {Path(folder.given): len(wanted)}
    else:
        if target.is_dir():
            in_place[target] = sum(is_there(target / name) for name in wanted)
        found = downloads.folders_with(wanted)
    while True:
        if not prefer_downloads:
            found.update(in_place)
        if len(wanted) in found.values() or not downloads.unpack_next('*'):
            break
        found = downloads.folders_with(wanted)
    found = found or in_place

    def rank(path: Path) -> tuple:
        # LSP has images with drawn joints under the same names, too.
        return (found[path], path == target, folder.near
                in (path, *path.parents), path.name == 'images')

    source = max(sorted(found), key=rank, default=None)
    if source is None or found[source] == 0:
        raise FileNotFoundError(
            f'none of the {len(wanted)} images is in the downloads, for '
            f'example {names[0]}; add the archive or folder, or name it with '
            f'{folder.option}; see --help')
    shown = source
    if unpacked in source.parents:
        shown = Path(*source.relative_to(unpacked).parts[1:])
    stays = target.exists() and source.resolve() == target.resolve() and not (
        target.is_symlink() and copy)
    return Place(source, shown, folder.target, names, stays)


def is_there(path: Path) -> bool:
    """Return whether there is a file that is not empty."""
    return path.is_file() and path.stat().st_size > 0


def check_images(places: Sequence[Place], decode: bool,
                 problem_file: Path) -> None:
    """Reject images that are missing or unreadable; list all of them.

    Args:
        places: where the images are.
        decode: also decode each image to its end, in threads.
        problem_file: the list; the first are on the screen.

    Raises:
        ValueError: if there are such images.
    """
    problem_file.unlink(missing_ok=True)
    tasks = [(place, name) for place in places for name in place.names]
    pool = ThreadPoolExecutor(_THREADS if decode else 1)
    limit = Image.MAX_IMAGE_PIXELS
    try:
        # Pillow rejects twice its limit; OpenCV reads 2^30 pixels.
        Image.MAX_IMAGE_PIXELS = 1 << 29
        answers = pool.map(lambda task: _problem(*task, decode), tasks)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            problems = [
                answer for answer in tqdm(
                    answers, 'checking images', len(tasks), unit='image')
                if answer
            ]
    finally:  # an interruption must not wait for the rest
        Image.MAX_IMAGE_PIXELS = limit
        pool.shutdown(wait=False, cancel_futures=True)
    if not problems:
        return
    problem_file.parent.mkdir(parents=True, exist_ok=True)
    problem_file.write_text('\n'.join(problems) + '\n', encoding='utf-8')
    for problem in problems[:_SHOWN_PROBLEMS]:
        print(problem, file=sys.stderr)
    missing = sum(problem.startswith('missing') for problem in problems)
    raise ValueError(
        f'{missing} of {len(tasks)} images are missing and '
        f'{len(problems) - missing} empty or unreadable; all of them are '
        f'listed in {problem_file}')


def _problem(place: Place, name: str, decode: bool) -> str | None:
    path, shown = place.source / name, place.shown / name
    if not is_there(path):
        return f'{"empty" if path.is_file() else "missing"}: {shown}'
    try:
        if decode:
            # OpenCV fills the missing end of a truncated file with grey.
            with Image.open(path) as image:
                # JPEGs at an eighth of their size: all data are still read.
                image.draft('RGB', (1, 1))
                image.load()
    except Exception as error:  # damage shows as nearly any exception
        return f'unreadable: {shown} ({type(error).__name__}: {error})'
    return None


def bring(place: Place, new: Path, copy: bool) -> None:
    """Move, copy or link images to a new dataset's folder."""
    if place.stays:
        return
    target = new / place.target
    target.parent.mkdir(parents=True, exist_ok=True)
    if place.shown != place.source:  # unpacked here
        os.rename(place.source, target)
    elif copy:
        for name in tqdm(place.names, 'copying images', unit='image'):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place.source / name, path)
    else:
        target.symlink_to(place.source.resolve(), target_is_directory=True)
