#!/usr/bin/env python
"""Prepare Leeds Sports Pose (LSP) and its extension.

1,000 people to train on, 1,000 to test on; 10,000 more to train on.
Download from https://sam.johnson.io/research/lsp.html and lspet.html; for
research only, with a reference to the papers:
  lsp_dataset.zip     images of LSP and joints.mat
  lspet_dataset.zip   the same of LSP extended; may be missing
Archives may be packed or unpacked; files are found by name at any depth, and
the two joints.mat are told apart by their shape.

Writes annotations/lsp_train.json, lsp_test.json and images/lsp, images/lspet.
"""
import argparse

import options

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_preparation_arguments(parser, out='data/lsp')
    parser.add_argument(
        '--joints',
        type=arguments.existing_file,
        metavar='FILE',
        help="LSP's joints.mat (default: found in the downloads)")
    parser.add_argument(
        '--images', metavar='FOLDER', help='folder of its images')
    parser.add_argument(
        '--extended-joints',
        type=arguments.existing_file,
        metavar='FILE',
        help='joints.mat of LSP extended')
    parser.add_argument(
        '--extended-images', metavar='FOLDER', help='folder of its images')
    parser.add_argument(
        '--without-extended',
        action='store_true',
        help='leave LSP extended out')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Prepare the data set, unless it is there."""
    with arguments.setting_up():
        from contents import Task
        from lsp import prepare_lsp
        prepare_lsp(
            Task(args.downloads, args.out, args.copy, not args.no_image_check,
                 args.allow_other_counts, args.force), args.joints,
            args.images, not args.without_extended, args.extended_joints,
            args.extended_images)


if __name__ == '__main__':
    arguments.run(main, parse_args())
