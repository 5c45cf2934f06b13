#!/usr/bin/env python
"""Train for an hour and see that memory and open files do not grow.

Eight narrow stacks learn drawn people, whose annotations are repeated, with
two loader processes, and are evaluated after each epoch. Exit status 1 if
memory of the epochs after the second differs by more than 2 %, or the number
of open files at all.
"""
import argparse
import sys

import options

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--people',
        type=arguments.positive_int,
        default=20_000,
        help='in an epoch (default: %(default)s)')
    parser.add_argument(
        '--minutes',
        type=float,
        default=60,
        help='how long; the last epoch is finished (default: %(default)s)')
    options.add_study_argument(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Check and print the figures."""
    with arguments.setting_up():
        from stress import load
        if not load.is_measurable():
            raise ValueError('this needs /proc of Linux 5.4 or later')
    with options.study_folder(args) as folder:
        looks = load.train_long(folder, args.people, args.minutes)
    epochs = load.levels(looks)
    for line in load.figures(epochs):
        print(line)
    if not load.is_flat(epochs):
        sys.exit(1)


if __name__ == '__main__':
    arguments.run(main, parse_args())
