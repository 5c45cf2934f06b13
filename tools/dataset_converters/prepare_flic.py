#!/usr/bin/env python
"""Prepare FLIC: 3,987 people to train on, 1,016 to test on.

Download from https://bensapp.github.io/flic-dataset.html, which asks to accept
its terms:
  FLIC.zip   images and examples.mat
Instead of examples.mat, the train.h5 and valid.h5 of the paper's code
(data/flic/annot in pose-hg-train) do as well, beside FLIC's images. Archives
may be packed or unpacked; files are found by name at any depth.

Writes annotations/flic_train.json, flic_test.json, in 1-based pixels as FLIC's
own files, and images. Labels are observer-centric, as in the benchmark: left
and right as if everyone faced the camera.
"""
import argparse
from pathlib import Path

from converter_dataset import (
    Contents,
    Subset,
    argument_parser,
    convert_dataset,
    existing_file,
    run,
)
from converter_downloads import Downloads, only
from converter_images import ImageFolder


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argument_parser(__doc__, 'data/flic')
    parser.add_argument(
        '--annotations',
        type=existing_file,
        metavar='FILE',
        help='examples.mat or train.h5 (default: found in the downloads)')
    parser.add_argument(
        '--test-annotations',
        type=existing_file,
        metavar='FILE',
        help='valid.h5, where --annotations is train.h5')
    return parser.parse_args(argv)


def main(args: argparse.Namespace) -> None:
    """Convert the dataset, unless it is complete."""
    from hourglass_plugin.datasets.readers.flic import read_flic

    def read(downloads: Downloads) -> Contents:
        train_file, test_file = find_files(downloads, args)
        print(f'reading {train_file.name}')
        both = train_file == test_file
        train = read_flic(train_file, 'train' if both else None)
        test = read_flic(test_file, 'test' if both else None)
        return Contents(
            subsets=[
                Subset('flic_train.json', 'train on', train, 1),
                Subset('flic_test.json', 'test on', test, 1)
            ],
            counts=[('people to train on', len(train), 3987),
                    ('people to test on', len(test), 1016)],
            images=[
                ImageFolder('images', '', args.images, train_file.parent,
                            '--images')
            ],
            warnings=[])

    convert_dataset(args, ['examples.mat', 'train*.h5', 'valid*.h5'],
                    ['flic*.zip'], read)


def find_files(downloads: Downloads,
               args: argparse.Namespace) -> tuple[Path, Path]:
    """Return the files of the people to train and to test on, or one file."""
    train = Path(args.annotations) if args.annotations else downloads.find(
        ['examples.mat'])
    if train is not None and train.suffix.lower() == '.mat':
        return train, train
    train = train or only(downloads.files('train.h5'))
    test = Path(args.test_annotations) if args.test_annotations else only(
        downloads.files('valid.h5'))
    if train is None or test is None:
        raise FileNotFoundError(
            'FLIC needs examples.mat, which is in FLIC.zip, or the two files '
            "train.h5 and valid.h5 of the paper's code, but they are not in "
            'the downloads; see --help')
    return train, test


if __name__ == '__main__':
    run(main, parse_args())
