#!/usr/bin/env python
"""Prepare FLIC: 3,987 people to train on, 1,016 to test on.

Download from https://bensapp.github.io/flic-dataset.html, which asks to accept
its terms:
  FLIC.zip   images and examples.mat
Instead of examples.mat, the train.h5 and valid.h5 of the paper's code
(data/flic/annot in pose-hg-train) do as well, beside FLIC's images. Archives
may be packed or unpacked; files are found by name at any depth.

Writes annotations/flic_train.json, flic_test.json and images.
"""
import argparse

import options

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_preparation_arguments(parser, out='data/flic')
    parser.add_argument(
        '--annotations',
        type=arguments.existing_file,
        metavar='FILE',
        help='examples.mat or train.h5 (default: found in the downloads)')
    parser.add_argument(
        '--test-annotations',
        type=arguments.existing_file,
        metavar='FILE',
        help='valid.h5, where --annotations is train.h5')
    parser.add_argument(
        '--images', metavar='FOLDER', help='folder of the images')
    parser.add_argument(
        '--labels',
        choices=['observer', 'person'],
        default='observer',
        help="what left means: observer, as if everyone faced the camera (the "
        "benchmark's, default), or person, the person's own")
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Prepare the data set, unless it is there."""
    with arguments.setting_up():
        from contents import Task
        from flic import prepare_flic
        prepare_flic(
            Task(args.downloads, args.out, args.copy, not args.no_image_check,
                 args.allow_other_counts, args.force), args.annotations,
            args.test_annotations, args.images, args.labels)


if __name__ == '__main__':
    arguments.run(main, parse_args())
