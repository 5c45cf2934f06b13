#!/usr/bin/env python
"""Draw the embedded data set: people with exact joints, in MPII's files.

A finished data set of the same settings is left as it is.
"""
import argparse

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_drawing_arguments(
        parser, 'data/synthetic_people', num_train=3000, num_val=400)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the data set, unless it is there."""
    with arguments.setting_up():
        import synthetic_people
    arguments.draw_data_set(synthetic_people, args)


if __name__ == '__main__':
    arguments.run(main, parse_args())
