#!/usr/bin/env python
"""Draw people with joints, in MPII's files, or shapes with boxes, in COCO's.

A complete dataset of the same settings is left as it is.
"""
import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import arguments, errors


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('kind', choices=['people', 'shapes'])
    parser.add_argument('--out', help='folder to write', required=True)
    for name, default, text in (
        ('--num-train', 1000, 'training images'),
        ('--num-val', 200, 'validation images'),
        ('--workers', os.cpu_count() or 1, 'processes that draw; the images '
         'do not depend on it')):
        parser.add_argument(
            name, type=arguments.positive_int, default=default, help=text)
    parser.add_argument(
        '--seed', type=int, default=0, help='other seeds draw other images')
    parser.add_argument(
        '--force', action='store_true', help='replace other settings')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the dataset, unless it is there."""
    with errors.setting_up():
        from synthetic import Settings
        from tqdm import tqdm
        dataset = import_module(f'synthetic_{args.kind}').DATASET
        settings = Settings(args.num_train, args.num_val, args.seed)
    images = f'{args.num_train} training and {args.num_val} validation images'
    if dataset.is_complete(args.out, settings):
        print(f'{args.out} is complete: {images}')
        return
    written = dataset.write(args.out, settings, args.workers, args.force)
    for _ in tqdm(written, 'drawing', len(settings.images), unit='image'):
        continue
    print(f'wrote {images} to {args.out}')


if __name__ == '__main__':
    errors.run(main, parse_args())
