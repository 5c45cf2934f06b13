"""Which checkpoint a training goes on from."""
import os
from pathlib import Path
from typing import Optional, Union

from mmengine.logging import print_log

#: What mmengine and this package name checkpoints to resume from.
_PATTERNS = ('epoch_*.pth', 'iter_*.pth', 'interrupted.pth')


def checkpoints_in(folder: Union[str, Path]) -> list[str]:
    """Checkpoints to resume from, the newest first; the best ones are not.

    Args:
        folder: a work dir.
    """
    found = [
        path for pattern in _PATTERNS for path in Path(folder).glob(pattern)
    ]
    return [
        str(path) for path in sorted(
            found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    ]


def latest_checkpoint(work_dir: Union[str, Path]) -> Optional[str]:
    """The checkpoint that ``last_checkpoint`` in a work dir names.

    If there is no such file, because the work dir was moved or copied in
    parts, it is the one of the same name in the work dir, else the newest
    there: to start anew beside checkpoints would overwrite them.

    Args:
        work_dir: of the training.

    Returns:
        Its path; None if there is none.
    """
    note = Path(work_dir, 'last_checkpoint')
    named = note.read_text().strip() if note.is_file() else ''
    if named and ('://' in named or os.path.isfile(named)):
        return named
    beside = os.path.join(work_dir, os.path.basename(named))
    if named and os.path.isfile(beside):
        return beside
    newest = next(iter(checkpoints_in(work_dir)), None)
    if newest is not None:
        what = f'names {named}, which is not there' if named else 'is missing'
        print_log(f'{note} {what}: {newest} is the newest checkpoint',
                  'current')
    return newest
