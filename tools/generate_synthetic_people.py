#!/usr/bin/env python
"""Draw the embedded data set: people with exact joints, in MPII's files.

A finished data set of the same settings is left as it is.
"""
import argparse

import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--out',
        default='data/synthetic_people',
        help='folder to write (default: %(default)s)')
    parser.add_argument(
        '--num-train',
        type=arguments.positive_int,
        default=3000,
        help='people to train on (default: %(default)s)')
    parser.add_argument(
        '--num-val',
        type=arguments.positive_int,
        default=400,
        help='people to validate on (default: %(default)s)')
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='other seeds draw other people (default: %(default)s)')
    parser.add_argument(
        '--workers',
        type=arguments.positive_int,
        help='processes that draw (default: one per processor core); the '
        'pictures do not depend on it')
    parser.add_argument(
        '--force',
        action='store_true',
        help='replace a data set of other settings')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the data set, unless it is there."""
    from tqdm import tqdm
    with arguments.setting_up():
        from hourglass_plugin.datasets import synthetic_people
        settings = synthetic_people.Settings(args.num_train, args.num_val,
                                             args.seed)
    people = (f'{args.num_train} people to train on and {args.num_val} to '
              'validate on')
    if synthetic_people.is_complete(args.out, settings):
        print(f'{args.out} is complete: {people}')
        return
    written = synthetic_people.write_data_set(
        args.out, settings, args.workers or synthetic_people.available_cores(),
        args.force)
    total = args.num_train + args.num_val
    for _ in tqdm(written, 'drawing people', total, unit='image'):
        continue
    print(f'wrote {people} to {args.out}')


if __name__ == '__main__':
    arguments.run(main, parse_args())
