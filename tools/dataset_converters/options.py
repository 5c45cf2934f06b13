"""Arguments of all tools that prepare a dataset."""
import argparse


def add_preparation_arguments(parser: argparse.ArgumentParser,
                              out: str) -> None:
    """Add the arguments of a tool that prepares a dataset.

    Args:
        parser: to which they are added.
        out: default folder of the dataset.
    """
    parser.add_argument(
        'downloads', nargs='*', help='files and folders that were downloaded')
    parser.add_argument(
        '--out', default=out, help='folder to write (default: %(default)s)')
    parser.add_argument(
        '--copy',
        action='store_true',
        help='copy unpacked images instead of linking their folder')
    parser.add_argument(
        '--no-image-check',
        action='store_true',
        help='only see that the images are there; do not decode them')
    parser.add_argument(
        '--allow-other-counts',
        action='store_true',
        help='take annotations of other numbers of people, with a warning')
    parser.add_argument(
        '--force', action='store_true', help='prepare what is complete anew')
