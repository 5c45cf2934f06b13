"""Finds images, checks that they are whole, and brings them to their place."""
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Optional

from contents import Contents, ImageFolder, Task, scratch_folder
from downloads import Downloads
from PIL import Image
from tqdm import tqdm

_THREADS = 8
_SHOWN_PROBLEMS = 20


class Place(NamedTuple):
    """Where the images of a folder come from, and where they belong.

    Attributes:
        source: folder that has them now.
        shown: what it is called: in its archive, if it was unpacked here.
        target: below the data set's folder.
        names: of the images, below either.
        stays: whether source and target are the same.
    """

    source: Path
    shown: Path
    target: str
    names: list[str]
    stays: bool


def is_there(path: Path) -> bool:
    """Whether there is a file that is not empty."""
    return path.is_file() and path.stat().st_size > 0


def find_images(task: Task, contents: Contents, downloads: Downloads,
                ours: bool) -> list[Place]:
    """Find the folders with the images that the annotations name.

    Args:
        task: what is done.
        contents: with folders of images.
        downloads: where to look; archives are unpacked if need be.
        ours: whether what lies in the data set's folder was made here.

    Raises:
        FileNotFoundError: if a folder has no such images at all.
        FileExistsError: if other images, which were not put there by this
            tool, are in the way.
    """
    out = Path(task.out)
    every_name = dict.fromkeys(person.image for subset in contents.subsets
                               for person in subset.people)
    places = []
    for folder in contents.images:
        names = [
            name[len(folder.prefix):] for name in every_name
            if name.startswith(folder.prefix)
        ]
        target = out / folder.target
        if folder.given is None:
            source = _best_folder(folder, names, downloads, target, task.force)
        elif Path(folder.given).is_dir():
            source = Path(folder.given)
        else:
            raise FileNotFoundError(f'there is no folder {folder.given}')
        is_link = target.is_symlink()
        stays = (
            target.exists() and source.resolve() == target.resolve()
            and not (is_link and task.copy))
        if not (stays or is_link or ours) and target.is_dir() and any(
                target.iterdir()):
            raise FileExistsError(
                f'{target} exists and was not made by this tool, but does not '
                f'have all images; add them there, remove {target}, or choose '
                'another --out')
        places.append(
            Place(source, _shown(source, out), folder.target, names, stays))
    return places


def _best_folder(folder: ImageFolder, names: Sequence[str],
                 downloads: Downloads, target: Path, force: bool) -> Path:
    """The folder with most of the images; archives are the last resort.

    ``force`` takes those that are in place only if there are no others.
    """
    wanted = set(names)
    in_place = {}
    if target.is_dir():
        in_place[target] = sum(is_there(target / name) for name in wanted)

    def rank(item: tuple[Path, int]) -> tuple:
        # LSP has pictures with drawn joints under the images' names, too.
        path, count = item
        return (count, path == target, folder.near
                in (path, *path.parents), path.name == 'images')

    while True:
        found = downloads.folders_with(wanted)
        if not force:
            found.update(in_place)
        if len(wanted) in found.values():
            break
        if not downloads.unpack_next('*'):
            found.update(in_place)
            break
    best, count = max(sorted(found.items()), key=rank, default=(None, 0))
    if best is None or count == 0:
        raise FileNotFoundError(
            f'none of the {len(wanted)} images is in the downloads, for '
            f'example {names[0]}; add the archive or folder with them, or say '
            f'where they are with {folder.option}; see --help')
    return best


def _shown(source: Path, out: Path) -> Path:
    unpacked = scratch_folder(out) / 'unpacked'
    if unpacked not in source.parents:
        return source
    return Path(*source.relative_to(unpacked).parts[1:])


def check_images(places: Sequence[Place], decode: bool,
                 problem_file: Path) -> None:
    """Refuse images that are missing or cannot be read; name all of them.

    Args:
        places: where the images are.
        decode: also decode each image to its end, in threads; otherwise only
            look whether there is a file that is not empty.
        problem_file: where they are all named; the first are on the screen.

    Raises:
        ValueError: if there are such images.
    """
    problems = [
        problem for place in places for problem in _problems(place, decode)
    ]
    if not problems:
        problem_file.unlink(missing_ok=True)
        return
    partial = problem_file.with_name(problem_file.name + '.partial')
    partial.write_text('\n'.join(problems) + '\n', encoding='utf-8')
    os.replace(partial, problem_file)
    for problem in problems[:_SHOWN_PROBLEMS]:
        print(problem, file=sys.stderr)
    missing = sum(problem.startswith('missing') for problem in problems)
    total = sum(len(place.names) for place in places)
    raise ValueError(
        f'{missing} of {total} images are missing and '
        f'{len(problems) - missing} empty or unreadable; all of them are '
        f'named in {problem_file}, and nothing was put in place')


def _problems(place: Place, decode: bool) -> list[str]:
    """A text for each image that is missing, empty or unreadable."""

    def problem(name: str) -> Optional[str]:
        path, shown = place.source / name, place.shown / name
        if not path.is_file():
            return f'missing: {shown}'
        if path.stat().st_size == 0:
            return f'empty: {shown}'
        damage = _damage(path) if decode else None
        return damage and f'unreadable: {shown} ({damage})'

    with _large_images(), ThreadPoolExecutor(
            _THREADS if decode else 1) as pool:
        try:
            answers = tqdm(
                pool.map(problem, place.names),
                'checking images',
                len(place.names),
                unit='image')
            return [answer for answer in answers if answer is not None]
        except BaseException:  # an interruption must not wait for the rest
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _large_images() -> Iterator[None]:
    """Let Pillow open images as large as OpenCV does, 2^30 pixels.

    It refuses those of twice its limit.
    """
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = 1 << 29
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _damage(path: Path) -> Optional[str]:
    """Why an image cannot be decoded, or ends too early; None if it can.

    Pillow reports a file that ends too early; OpenCV fills up with grey.
    """
    try:
        with Image.open(path) as image:
            # JPEGs at an eighth of their size: all data are still read.
            image.draft('RGB', (1, 1))
            image.load()
    except Exception as error:  # damage shows as nearly any exception
        return f'{type(error).__name__}: {error}'
    return None


def bring(place: Place, new: Path, copy: bool) -> None:
    """Move, copy or link images to a new data set's folder."""
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
