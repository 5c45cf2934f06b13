#!/usr/bin/env python
"""Kill a training again and again and see that it does not matter.

A small network learns drawn people, once undisturbed, and then ended by
SIGKILL and SIGTERM at random moments and resumed each time. Exit status 1 if
anything in the end differs.
"""
import argparse
import os
import sys

import options

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--kills',
        type=arguments.positive_int,
        default=24,
        help='how often to kill with SIGKILL; every other time while a '
        'checkpoint is being written (default: %(default)s)')
    parser.add_argument(
        '--stops',
        type=int,
        default=6,
        help='how often to stop with SIGTERM (default: %(default)s)')
    parser.add_argument(
        '--workers',
        type=int,
        nargs='+',
        default=[0, 1, 3],
        help='numbers of loader processes, by turns; the undisturbed training '
        'has the first (default: 0 1 3)')
    parser.add_argument(
        '--epochs',
        type=arguments.positive_int,
        default=4,
        help='length of each training (default: %(default)s)')
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='of the moments (default: %(default)s)')
    options.add_study_argument(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Check and print the figures."""
    with arguments.setting_up():
        if not hasattr(os, 'fork'):
            raise ValueError('this system has no fork, which this needs')
        from stress import resuming
    with options.study_folder(args) as folder:
        check = resuming.ResumeCheck(folder, args.epochs, args.seed)
        outcome = check.run(args.kills, args.stops, args.workers)
    for line in resuming.figures(outcome, args.epochs):
        print(line)
    if outcome.problems:
        sys.exit(1)


if __name__ == '__main__':
    arguments.run(main, parse_args())
