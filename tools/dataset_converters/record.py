"""The note that a preparation leaves, by which the next run knows it.

A second run has nothing to do if it was given the same options, the
downloads have no other annotations or archives than then, the annotations
that were written have not changed and all their images are there.
"""
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from contents import Options, Task, scratch_folder
from downloads import Downloads
from images import is_there

from hourglass_plugin.datasets.readers.pose_json import load_json

RECORD_FILE = 'prepared.json'

#: Raised when the same downloads give other files than before.
_VERSION = 1


def read_record(out: Path) -> dict:
    """What an earlier preparation noted; {} if there was none."""
    try:
        record = json.loads((out / RECORD_FILE).read_text('utf-8'))
    except (OSError, ValueError):
        return {}
    known = isinstance(record, dict) and record.get('version') == _VERSION
    # They are removed when they are outdated, and must be files of this
    # folder, whoever wrote the record.
    known = known and isinstance(record.get('annotations'), dict) and all(
        Path(name).name == name for name in record['annotations'])
    return record if known else {}


def new_record(task: Task, options: Options, fingerprints: dict[str, list],
               annotations: Sequence[Path], counts_fit: bool,
               warnings: Sequence[str], summary: str) -> dict:
    """What a preparation notes.

    Args:
        task: what was done.
        options: on what it depended besides.
        fingerprints: from what.
        annotations: files that were written.
        counts_fit: whether there are as many people as there should be.
        warnings: what the user was told.
        summary: what there is now, in words.
    """
    return dict(
        version=_VERSION,
        options=options,
        image_check=task.image_check,
        counts_fit=counts_fit,
        sources=fingerprints,
        annotations={path.name: _digest(path)
                     for path in annotations},
        warnings=list(warnings),
        summary=summary)


def own_files(out: Path, record: dict) -> list[Path]:
    """What was written here, which is no download."""
    if not record:
        return [scratch_folder(out)]
    return [
        scratch_folder(out), out / 'images',
        *(out / 'annotations' / name for name in record['annotations'])
    ]


def take_fingerprints(task: Task, options: Options, patterns: Sequence[str],
                      ignored: Sequence[Path]) -> dict[str, list]:
    """Size and time of every file that the annotations may come from."""
    named = [*task.downloads, *filter(None, map(str, options.values()))]
    paths = {Path(name) for name in named if Path(name).is_file()}
    folders = [name for name in task.downloads if Path(name).is_dir()]
    paths.update(
        Downloads(folders, [], Path(task.out), ignored).files(*patterns))
    return {
        str(path.resolve()): [path.stat().st_size,
                              path.stat().st_mtime_ns]
        for path in paths
    }


def why_outdated(task: Task, options: Options, record: dict,
                 fingerprints: dict[str, list]) -> Optional[str]:
    """Why there is something to do; None if everything is in place."""
    out = Path(task.out)
    if record['options'] != options:
        return 'other options were given'
    for path, fingerprint in fingerprints.items():
        # What was deleted since is not missed.
        if record['sources'].get(path) != fingerprint:
            return f'{path} is new or has changed'
    if task.image_check and not record['image_check']:
        return 'the images have not been decoded yet'
    if not task.allow_other_counts and not record['counts_fit']:
        return 'the numbers of people were other than expected'
    images: set[str] = set()
    for name, digest in record['annotations'].items():
        path = out / 'annotations' / name
        if not path.is_file() or _digest(path) != digest:
            return f'{path} is missing or has changed'
        images.update(entry['image'] for entry in load_json(path))
    for name in images:
        if not is_there(out / 'images' / name):
            return f'{out / "images" / name} is missing or empty'
    return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
