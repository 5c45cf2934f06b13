#!/usr/bin/env python
"""See that several processes learn and find what one does.

A small network learns drawn people in 1, 2 and 3 processes without a GPU, the
same number in each step; then processes are killed and the training resumed,
started as on one machine, on two and by Slurm. Exit status 1 if anything
differs.
"""
import argparse
import sys
from pathlib import Path

import options

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--trainings',
        type=arguments.positive_int,
        default=5,
        help='of how many trainings losses are compared, at most 5 (default: '
        '%(default)s)')
    options.add_study_argument(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Check and print the figures."""
    with arguments.setting_up():
        if not Path('/proc/self/stat').exists():
            raise ValueError('this system has no /proc, which this needs')
        from stress import distributed
    with options.study_folder(args) as folder:
        check = distributed.DistributedCheck(folder,
                                             Path(__file__).parent)
        outcome = check.run(
            distributed.TRAININGS[:args.trainings])
    for line in distributed.figures(outcome):
        print(line)
    if not outcome.is_good:
        sys.exit(1)


if __name__ == '__main__':
    arguments.run(main, parse_args())
