"""Convert a dataset: annotations and images, all of them or nothing."""
import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from converter_downloads import Downloads
from converter_images import (
    ImageFolder,
    bring,
    check_images,
    find_images,
    is_there,
)

RECORD_FILE = 'prepared.json'

#: Increased when the same downloads give other files than before.
_VERSION = 2


class Subset(NamedTuple):
    """People of one annotation file.

    Attributes:
        file: its name.
        purpose: of the people, after "people to".
        people: in the order in which they are written.
        first_pixel: number of the first pixel in the file, 0 or 1.
        center_drop: see ``pose_json_entries``.
    """

    file: str
    purpose: str
    people: list
    first_pixel: int
    center_drop: float = 0.0


class Contents(NamedTuple):
    """The contents of the downloads.

    Attributes:
        subsets: the people.
        counts: (name, found, expected), which are checked.
        images: the folders of images.
        warnings: for the user, a line each.
    """

    subsets: list[Subset]
    counts: list[tuple[str, int, int]]
    images: list[ImageFolder]
    warnings: list[str]


def existing_file(path: str) -> str:
    """Return the path of a file; an argparse type."""
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f'there is no file {path}')
    return path


def argument_parser(description: str | None,
                    out: str) -> argparse.ArgumentParser:
    """Return a parser with the converters' common arguments."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('downloads', nargs='*', help='files and folders')
    parser.add_argument(
        '--out', default=out, help='folder to write (default: %(default)s)')
    parser.add_argument(
        '--images', metavar='FOLDER', help='folder of the images')
    parser.add_argument(
        '--copy',
        action='store_true',
        help='copy unpacked images instead of linking their folder')
    parser.add_argument(
        '--no-image-check',
        action='store_true',
        help='check that the images exist, but do not decode them')
    parser.add_argument(
        '--allow-other-counts',
        action='store_true',
        help='accept other numbers of people, with a warning')
    parser.add_argument(
        '--force', action='store_true', help='convert a complete dataset anew')
    return parser


def run(convert: Callable[[argparse.Namespace], None],
        args: argparse.Namespace) -> None:
    """Call a converter; exit with one line for an error.

    Exit status: 0, or 1 for an error, or 130 when interrupted.
    """
    try:
        convert(args)
    except (OSError, ValueError, ModuleNotFoundError) as error:
        message = str(error)
        if isinstance(error, OSError) and error.filename is not None:
            message = f'{error.strerror}: {error.filename}'
        sys.exit(f'{Path(sys.argv[0]).name}: error: '
                 f'{" ".join(message.split())}')
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)


def convert_dataset(args: argparse.Namespace, sources: Sequence[str],
                    archives: Sequence[str],
                    read: Callable[[Downloads], Contents]) -> None:
    """Convert a dataset, or check that it is complete.

    Annotations and images are made beside the folder and are moved there at
    the end, the record last, by which the next run recognises them.

    Args:
        args: of :func:`argument_parser`, and a converter's own.
        sources: patterns of the annotation files' names, in lower case; new
            files in the downloads mean a new conversion.
        archives: the same for archives.
        read: finds and reads the annotations.

    Raises:
        FileNotFoundError: if something is not in the downloads.
        FileExistsError: if a file that was not written here is in the way.
        ValueError: if files or images are damaged, or counts wrong.
    """
    out = Path(args.out)
    if out.exists() and not out.is_dir():
        raise FileExistsError(f'{out} is not a folder; choose another --out')
    scratch = out.resolve().with_name(out.resolve().name + '.unfinished')
    record = _read_record(out)
    own = [scratch]
    if record:
        own += [out / 'images'
                ] + [out / 'annotations' / name for name in record['files']]
    inputs = _inputs(args, [*sources, *archives], own)
    if record and not args.force:
        outdated = _why_outdated(args, record, inputs, out)
        if outdated is None:
            _warn(record['warnings'])
            print(f'{out} is complete: {record["summary"]}')
            return
        print(f'{out} is converted anew: {outdated}')
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed
    new, unpacked = scratch / 'new', scratch / 'unpacked'
    try:
        new.mkdir(parents=True)
        downloads = Downloads(args.downloads, archives, unpacked, own)
        contents = read(downloads)
        warnings = contents.warnings + _check_counts(contents, args)
        places = []
        for folder in contents.images:
            names = dict.fromkeys(
                person.image for subset in contents.subsets
                for person in subset.people
                if person.image.startswith(folder.prefix))
            places.append(
                find_images(folder, list(names), downloads, out, unpacked,
                            args.copy, args.force))
        changed = [place.target for place in places if not place.stays]
        if not record:
            _check_free(out, contents.subsets, changed)
        files = _write_annotations(new, contents.subsets)
        check_images(places, not args.no_image_check,
                     out.with_name(out.name + '.problems.txt'))
        for place in places:
            bring(place, new, args.copy)
        summary = ', '.join([
            *(f'{len(subset.people)} people to {subset.purpose}'
              for subset in contents.subsets),
            f'{sum(len(place.names) for place in places)} images'
        ])
        _write_json(
            new / RECORD_FILE,
            dict(
                version=_VERSION,
                options=_options(args),
                inputs=inputs,
                files=files,
                warnings=warnings,
                summary=summary))
        _put_in_place(new, out, changed, record, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _warn(warnings)
    print(f'wrote {summary} to {out}')


def _options(args: argparse.Namespace) -> dict:
    """Return the options on which the files depend."""
    return {
        key: value
        for key, value in vars(args).items()
        if key not in ('downloads', 'out', 'force')
    }


def _read_record(out: Path) -> dict:
    """Return the record of an earlier conversion; {} if there is none."""
    try:
        record = json.loads((out / RECORD_FILE).read_text('utf-8'))
        # Outdated files are removed, so they must lie in this folder.
        known = record['version'] == _VERSION and all(
            Path(name).name == name for name in record['files'])
        return record if known else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _inputs(args: argparse.Namespace, patterns: Sequence[str],
            own: Sequence[Path]) -> dict[str, list[int]]:
    """Return size and time of all files that annotations may come from."""
    named = [*args.downloads, *_options(args).values()]
    paths = {
        Path(name)
        for name in named if isinstance(name, str) and Path(name).is_file()
    }
    folders = [name for name in args.downloads if Path(name).is_dir()]
    paths.update(Downloads(folders, [], Path(args.out), own).files(*patterns))
    return {
        str(path.resolve()): [path.stat().st_size,
                              path.stat().st_mtime_ns]
        for path in paths
    }


def _why_outdated(args: argparse.Namespace, record: dict, inputs: dict,
                  out: Path) -> str | None:
    """Return why there is something to do; None if all is in place."""
    if record['options'] != _options(args):
        return 'other options were given'
    for path, state in inputs.items():  # missing downloads do not matter
        if record['inputs'].get(path) != state:
            return f'{path} is new or has changed'
    for name, digest in record['files'].items():
        path = out / 'annotations' / name
        if not path.is_file() or _digest(path) != digest:
            return f'{path} is missing or has changed'
        for entry in json.loads(path.read_text('utf-8')):
            if not is_there(out / 'images' / entry['image']):
                return f'{entry["image"]} is missing or empty'
    return None


def _check_counts(contents: Contents, args: argparse.Namespace) -> list[str]:
    """Return unexpected counts; an error unless they are allowed."""
    problems = [
        f'{found} {name} found, {expected} expected'
        for name, found, expected in contents.counts if found != expected
    ]
    if problems and not args.allow_other_counts:
        raise ValueError(f'{"; ".join(problems)}. The annotations are not the '
                         'complete ones; --allow-other-counts accepts them')
    for subset in contents.subsets:
        if not subset.people:
            raise ValueError(f'there are no people to {subset.purpose}')
    return problems


def _check_free(out: Path, subsets: Sequence[Subset],
                changed: Sequence[str]) -> None:
    """Reject a folder with other annotations or images."""
    for subset in subsets:
        path = out / 'annotations' / subset.file
        if path.exists():
            raise FileExistsError(
                f'{path} was not written by this converter; choose another '
                '--out or move the file away')
    for target in changed:
        path = out / target
        if not path.is_symlink() and path.is_dir() and any(path.iterdir()):
            raise FileExistsError(
                f'{path} does not have all images; add them there, remove it, '
                'or choose another --out')


def _write_annotations(new: Path, subsets: Sequence[Subset]) -> dict[str, str]:
    """Write the annotation files; return the digests by name."""
    from converter_json import pose_json_entries
    files = {}
    for subset in subsets:
        path = new / 'annotations' / subset.file
        _write_json(
            path,
            pose_json_entries(subset.people, subset.first_pixel,
                              subset.center_drop))
        files[subset.file] = _digest(path)
    return files


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content) + '\n', encoding='utf-8')


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _put_in_place(new: Path, out: Path, images: Sequence[str], record: dict,
                  scratch: Path) -> None:
    """Move the new files to the dataset's folder, the record last."""
    if not out.exists():
        os.rename(new, out)
        return
    for number, target in enumerate(images):
        path, old = out / target, scratch / f'old_{number}'
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        if path.exists():
            os.rename(path, old)
        try:
            os.rename(new / target, path)
        except BaseException:
            if old.exists():
                os.rename(old, path)
            raise
    (out / 'annotations').mkdir(exist_ok=True)
    names = [path.name for path in (new / 'annotations').iterdir()]
    for name in names:
        os.replace(new / 'annotations' / name, out / 'annotations' / name)
    for name in set(record.get('files', ())).difference(names):
        (out / 'annotations' / name).unlink(missing_ok=True)
    os.replace(new / RECORD_FILE, out / RECORD_FILE)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f'warning: {warning}', file=sys.stderr)
