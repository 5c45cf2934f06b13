"""Arguments of all stress tests."""
import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def add_study_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--out``."""
    parser.add_argument(
        '--out', help='folder for the training runs (default: temporary)')


@contextmanager
def study_folder(args: argparse.Namespace) -> Iterator[Path]:
    """The folder of ``--out``, or one that is removed."""
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(args.out or temporary)
