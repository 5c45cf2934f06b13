#!/usr/bin/env python
"""Draw what a config's network is trained on or evaluated on.

Writes sheets of crops as the pipeline makes them, augmentation included, with
their joints and, for training, their target heatmaps.
"""
import argparse
from pathlib import Path

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument(
        '-o',
        '--out',
        default='browse',
        help='folder for the sheets (default: browse)')
    parser.add_argument(
        '--phase',
        choices=['train', 'val', 'test'],
        default='train',
        help='which data set and pipeline (default: train)')
    parser.add_argument(
        '--number',
        type=arguments.positive_int,
        default=48,
        help='number of people, spread over the data set (default: 48)')
    parser.add_argument(
        '--seed', type=int, default=0, help='of the augmentation (default: 0)')
    arguments.add_config_options(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Build the data set and draw."""
    with arguments.setting_up():
        from mmengine.runner import set_random_seed

        from hourglass_plugin.cli import command_line
        from hourglass_plugin.visualization import samples
        config = command_line.load_config(args.config, args.cfg_options)
        set_random_seed(args.seed)
        dataset = command_line.build_dataset(config, args.phase)
    files = samples.write_dataset_sheets(dataset, args.number, Path(args.out),
                                         args.phase)
    print('\n'.join(str(file) for file in files))


if __name__ == '__main__':
    arguments.run(main, parse_args())
