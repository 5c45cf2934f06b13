"""Puts annotations and images in place, all of them or nothing."""
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from contents import Contents, Options, Subset, Task, scratch_folder
from downloads import Downloads
from images import bring, check_images, find_images
from record import (
    RECORD_FILE,
    new_record,
    own_files,
    read_record,
    take_fingerprints,
    why_outdated,
)

from hourglass_plugin.datasets.readers.pose_json import pose_json_entries


def prepare(task: Task, options: Options, sources: Sequence[str],
            archives: Sequence[str],
            read: Callable[[Downloads], Contents]) -> None:
    """Prepare a data set, or see that it is complete; says so on the screen.

    Annotations and images are made beside the folder and are moved there at
    the end. What is wrong with images is listed completely in
    ``<folder>.problems.txt``.

    Args:
        task: what to do.
        options: values by name on which the contents depend besides.
        sources: patterns of the annotation files' names, in lower case; other
            files than before in the downloads mean a new preparation.
        archives: the same for archives.
        read: finds and reads the annotations.

    Raises:
        FileNotFoundError: if something is not in the downloads.
        FileExistsError: if something would be replaced that was not made here.
        ValueError: if files or images are damaged, or counts wrong.
    """
    out = Path(task.out)
    if out.exists() and not out.is_dir():
        raise FileExistsError(f'{out} exists and is not a folder; choose '
                              'another --out')
    options = dict(options, copy=task.copy)
    record = read_record(out)
    own = own_files(out, record)
    fingerprints = take_fingerprints(task, options, [*sources, *archives], own)
    if record and not task.force:
        outdated = why_outdated(task, options, record, fingerprints)
        if outdated is None:
            _warn(record['warnings'])
            print(f'{out} is complete: {record["summary"]}')
            return
        print(f'{out} is prepared anew: {outdated}')
    with _unfinished(out) as scratch:
        downloads = Downloads(task.downloads, archives, scratch / 'unpacked',
                              own)
        contents = read(downloads)
        wrong_counts = _wrong_counts(contents, task.allow_other_counts)
        _check_replaceable(out, contents.subsets, record)
        new = scratch / 'new'
        annotations = _write_annotations(new, contents.subsets)
        places = find_images(task, contents, downloads, bool(record))
        check_images(places, task.image_check,
                     out.with_name(out.name + '.problems.txt'))
        for place in places:
            bring(place, new, task.copy)
        warnings = contents.warnings + wrong_counts
        summary = ', '.join([
            *(f'{len(subset.people)} people to {subset.purpose}'
              for subset in contents.subsets),
            f'{sum(len(place.names) for place in places)} images'
        ])
        _write_json(
            new / RECORD_FILE,
            new_record(task, options, fingerprints, annotations,
                       not wrong_counts, warnings, summary))
        moved = [place.target for place in places if not place.stays]
        _put_in_place(new, out, moved, record, scratch)
    _warn(warnings)
    print(f'wrote {summary} to {out}')


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f'warning: {warning}', file=sys.stderr)


def _wrong_counts(contents: Contents, allowed: bool) -> list[str]:
    """What is wrong with the counts; an error unless that is allowed."""
    problems = [
        f'{count.found} {count.what} found, {count.expected} expected'
        for count in contents.counts if count.found != count.expected
    ]
    if problems and not allowed:
        raise ValueError(f'{"; ".join(problems)}. The annotations are not the '
                         'complete ones; --allow-other-counts takes them as '
                         'they are')
    for subset in contents.subsets:
        if not subset.people:
            raise ValueError(f'there are no people to {subset.purpose}')
    return problems


def _check_replaceable(out: Path, subsets: Sequence[Subset],
                       record: dict) -> None:
    """Refuse to replace annotations that were not written here."""
    for subset in subsets:
        path = out / 'annotations' / subset.file
        if path.exists() and not record:
            raise FileExistsError(
                f'{path} exists and was not written by this tool; choose '
                'another --out or move the file away')


def _write_annotations(new: Path, subsets: Sequence[Subset]) -> list[Path]:
    paths = []
    for subset in subsets:
        paths.append(new / 'annotations' / subset.file)
        _write_json(paths[-1],
                    pose_json_entries(subset.people, subset.first_pixel,
                                      subset.center_drop))
    return paths


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content) + '\n', encoding='utf-8')


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A folder beside the data set's, gone at the end."""
    scratch = scratch_folder(out)
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _put_in_place(new: Path, out: Path, images: Sequence[str], record: dict,
                  scratch: Path) -> None:
    """Move what is new to the data set's folder, the record last.

    A folder that is not there yet appears complete. In one that is, each part
    appears complete, and the record, by which the next run knows that all is
    well, after all others.
    """
    if not out.exists():
        os.rename(new, out)
        return
    for number, target in enumerate(images):
        path = out / target
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        _exchange(new / target, path, scratch / f'old_{number}')
    (out / 'annotations').mkdir(exist_ok=True)
    names = [path.name for path in (new / 'annotations').iterdir()]
    for name in names:
        os.replace(new / 'annotations' / name, out / 'annotations' / name)
    for name in set(record.get('annotations', ())).difference(names):
        (out / 'annotations' / name).unlink(missing_ok=True)
    os.replace(new / RECORD_FILE, out / RECORD_FILE)


def _exchange(new: Path, path: Path, old: Path) -> None:
    """Put a folder in another's place, which is moved away, or neither."""
    if path.exists():
        os.rename(path, old)
    try:
        os.rename(new, path)
    except BaseException:
        if old.exists():
            os.rename(old, path)
        raise
