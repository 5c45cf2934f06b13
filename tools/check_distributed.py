#!/usr/bin/env python
"""See that several processes learn and find what one does.

A small network learns drawn people in 1, 2 and 3 processes without a GPU, the
same number in each step; then processes are killed and the training resumed,
started as on one machine, on two and by Slurm. Exit status 1 if anything
differs.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--out', help='folder that keeps the trainings (default: none does)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Check and print the figures."""
    with arguments.setting_up():
        if not Path('/proc/self/stat').exists():
            raise ValueError('this system has no /proc, which this needs')
        from hourglass_plugin import distributed_check
    with tempfile.TemporaryDirectory() as temporary:
        check = distributed_check.DistributedCheck(
            Path(args.out or temporary),
            Path(__file__).parent)
        outcome = check.run()
    for line in distributed_check.figures(outcome):
        print(line)
    if not outcome.is_good:
        sys.exit(1)


if __name__ == '__main__':
    arguments.run(main, parse_args())
