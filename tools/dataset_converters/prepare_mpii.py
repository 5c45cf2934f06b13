#!/usr/bin/env python
"""Prepare MPII Human Pose: 22,246 people to train on, 2,958 to validate on.

Download (the site asks to accept the licence) from
http://human-pose.mpi-inf.mpg.de:
  mpii_human_pose_v1.tar.gz      the images, 12 GB
  mpii_human_pose_v1_u12_2.zip   the official annotations
and, as the official file does not tell who the validation people are,
  mpii_gt_val.mat                in the mpii_annotations.tar that MMPose's
                                 page on MPII links to
Other annotations do as well:
  mpii_annotations.tar           MMPose's JSON files and mpii_gt_val.mat
  train.json, valid.json         HRNet's, with gt_valid.mat
  train.h5, valid.h5             those of the paper's code (pose-hg-train)
  mpii_annotations.json          that of Convolutional Pose Machines, with
                                 mpii_gt_val.mat
Archives may be packed or unpacked; files are found by name at any depth.

Writes annotations/mpii_train.json, mpii_val.json, with the head sizes that
PCKh needs, mpii_test.json if there are test people, and images.
"""
import argparse

import options

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_preparation_arguments(parser, out='data/mpii')
    parser.add_argument(
        '--annotations',
        type=arguments.existing_file,
        metavar='FILE',
        help='mpii_human_pose_v1_u12_1.mat, mpii_annotations.json or the '
        'file of the people to train on (default: found in the downloads)')
    parser.add_argument(
        '--validation',
        type=arguments.existing_file,
        metavar='FILE',
        help='any file of the validation people')
    parser.add_argument(
        '--head-boxes',
        type=arguments.existing_file,
        metavar='FILE',
        help='mpii_gt_val.mat, for annotations without head boxes')
    parser.add_argument(
        '--images', metavar='FOLDER', help='folder of the images')
    parser.add_argument(
        '--without-test',
        action='store_true',
        help='leave the test people out, so that their images may be missing')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Prepare the data set, unless it is there."""
    with arguments.setting_up():
        from contents import Task
        from mpii import prepare_mpii
        prepare_mpii(
            Task(args.downloads, args.out, args.copy, not args.no_image_check,
                 args.allow_other_counts, args.force), args.annotations,
            args.validation, args.head_boxes, args.images,
            not args.without_test)


if __name__ == '__main__':
    arguments.run(main, parse_args())
