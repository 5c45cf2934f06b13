"""Find the checkpoint from which a training resumes."""
import os
from pathlib import Path

from mmengine.logging import print_log

#: Names of the checkpoints of mmengine and of this package to resume from.
_PATTERNS = ('epoch_*.pth', 'iter_*.pth', 'interrupted.pth')


def latest_checkpoint(work_dir: str | Path) -> str | None:
    """Return the checkpoint named by the file ``last_checkpoint``.

    Where that file or the checkpoint is missing, since the work dir was moved
    or copied in part, it is the one of the same name in the work dir, else the
    newest there; None if there is none.
    """
    note = Path(work_dir, 'last_checkpoint')
    named = note.read_text().strip() if note.is_file() else ''
    for path in (named, os.path.join(work_dir, os.path.basename(named))):
        if '://' in path or os.path.isfile(path):
            return path
    found = [path for x in _PATTERNS for path in Path(work_dir).glob(x)]
    if not found:
        return None
    newest = str(max(found, key=lambda path: path.stat().st_mtime_ns))
    print_log(f'{note} is missing or names a missing file ({named!r}): '
              f'using the newest checkpoint, {newest}', 'current')
    return newest
