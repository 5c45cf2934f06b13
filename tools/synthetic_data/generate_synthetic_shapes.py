#!/usr/bin/env python
"""Draw a small data set for detectors: shapes with boxes, in COCO's format.

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
        parser, 'data/synthetic_shapes', num_train=3000, num_val=200)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the data set, unless it is there."""
    with arguments.setting_up():
        import synthetic_shapes
    arguments.draw_data_set(synthetic_shapes, args)


if __name__ == '__main__':
    arguments.run(main, parse_args())
