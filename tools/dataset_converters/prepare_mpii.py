#!/usr/bin/env python
"""Prepare MPII Human Pose: 22,246 people to train on, 2,958 to validate on.

Download (the site asks to accept the licence) from
http://human-pose.mpi-inf.mpg.de:
  mpii_human_pose_v1.tar.gz      the images, 12 GB
  mpii_human_pose_v1_u12_2.zip   the official annotations
and, as the official file does not mark the validation set,
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
PCKh needs, mpii_test.json if there are test people, and images. Pixels are
1-based and centres the annotated ones, as in the files of HRNet and MMPose.
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

_OFFICIAL = 'mpii_human_pose_v1_u12*.mat'
_HEAD_BOXES = ('mpii_gt_val.mat', 'gt_valid.mat')
#: Both subsets in one file, as Convolutional Pose Machines have it.
_BOTH = ('mpii_annotations.json', 'mpii_annotations.json.gz')
#: A file per subset: those of the paper's code, of HRNet and of MMPose.
_APART = (
    ('train.h5', 'valid.h5', 'test.h5'),
    ('train.json', 'valid.json', 'test.json'),
    ('mpii_train.json', 'mpii_val.json', 'mpii_test.json'),
)
#: Files with the validation set, those first that have positions in the
#: official file.
_VALIDATION = ('valid.h5', *_BOTH, 'valid.json', 'mpii_val.json', *_HEAD_BOXES)
_ANNOTATION_ARCHIVES = ('mpii_human_pose_v1_u12*', 'mpii_annotations*')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argument_parser(__doc__, 'data/mpii')
    parser.add_argument(
        '--annotations',
        type=existing_file,
        metavar='FILE',
        help='mpii_human_pose_v1_u12_1.mat, mpii_annotations.json or the '
        'file of the people to train on (default: found in the downloads)')
    parser.add_argument(
        '--validation',
        type=existing_file,
        metavar='FILE',
        help='any file of the validation people')
    parser.add_argument(
        '--head-boxes',
        type=existing_file,
        metavar='FILE',
        help='mpii_gt_val.mat, for annotations without head boxes')
    parser.add_argument(
        '--without-test',
        action='store_true',
        help='leave the test people out, so that their images may be missing')
    return parser.parse_args(argv)


def main(args: argparse.Namespace) -> None:
    """Convert the dataset, unless it is complete."""
    convert_dataset(args, [
        _OFFICIAL, *_HEAD_BOXES, *_BOTH, *(name for names in _APART
                                           for name in names)
    ], [*_ANNOTATION_ARCHIVES, 'mpii_human_pose_v1.*'],
                    lambda downloads: read(downloads, args))


def read(downloads: Downloads, args: argparse.Namespace) -> Contents:
    """Read the people of all subsets."""
    from hourglass_plugin.datasets.readers.mpii import read_mpii
    from hourglass_plugin.datasets.readers.mpii_ground_truth import (
        add_head_sizes,
    )
    from hourglass_plugin.datasets.readers.person import CENTER_DROP
    train, validation, test = find_files(downloads, args)
    print(f'reading {train.name}')
    if train.suffix.lower() == '.mat':  # a minute for each subset
        people = dict(
            train=read_mpii(train, 'train', validation),
            val=read_mpii(train, 'val', validation))
    elif validation is None:
        people = dict(
            train=read_mpii(train, 'train'), val=read_mpii(train, 'val'))
    else:
        people = dict(train=read_mpii(train), val=read_mpii(validation))
    if test is not None and not args.without_test:
        people['test'] = read_mpii(test, 'test' if test == train else None)
    warnings = []
    unknown = sum(person.head_size is None for person in people['val'])
    boxes = Path(args.head_boxes) if args.head_boxes else only(
        downloads.files(*_HEAD_BOXES))
    if unknown and boxes is not None:
        people['val'] = add_head_sizes(people['val'], boxes, validation
                                       or train)
    elif unknown:
        warnings.append(
            f'the head sizes of {unknown} validation people are unknown, so '
            'PCKh cannot be computed: add mpii_gt_val.mat to the downloads '
            'and run this again')
    purposes = dict(train='train on', val='validate on', test='test on')
    return Contents(
        subsets=[
            Subset(f'mpii_{name}.json', purposes[name], some, 1, CENTER_DROP)
            for name, some in people.items()
        ],
        counts=[('people to train on', len(people['train']), 22246),
                ('people to validate on', len(people['val']), 2958)],
        images=[
            ImageFolder('images', '', args.images, train.parent, '--images')
        ],
        warnings=warnings)


def find_files(
        downloads: Downloads,
        args: argparse.Namespace) -> tuple[Path, Path | None, Path | None]:
    """Return the files of the subsets; the official one is preferred.

    Beside the official file, the validation file marks the validation set.
    """
    from hourglass_plugin.datasets.readers.pose_json import is_cpm, load_json
    train = Path(args.annotations) if args.annotations else downloads.find(
        [_OFFICIAL], _ANNOTATION_ARCHIVES) or only(downloads.files(*_BOTH))
    validation = Path(args.validation) if args.validation else None
    if train is not None and train.name.lower().endswith(
        ('.json', '.json.gz')) and is_cpm(load_json(train)):
        return train, None, None
    if train is not None and train.suffix.lower() == '.mat':
        for name in _VALIDATION:
            validation = validation or only(downloads.files(name))
        validation = validation or downloads.find(_HEAD_BOXES,
                                                  _ANNOTATION_ARCHIVES)
        if validation is None:
            raise FileNotFoundError(
                f'{train} does not mark the validation set: add '
                'mpii_gt_val.mat, valid.h5 or valid.json to the downloads or '
                'name it with --validation; see --help')
        return train, validation, train
    for names in _APART:
        first, second, third = (only(downloads.files(name)) for name in names)
        first, second = train or first, validation or second
        if first is not None and second is not None:
            return first, second, third
    raise FileNotFoundError(
        'MPII needs mpii_human_pose_v1_u12_1.mat, which is in '
        'mpii_human_pose_v1_u12_2.zip, or the annotations of HRNet, MMPose or '
        "the paper's code, but they are not in the downloads; see --help")


if __name__ == '__main__':
    run(main, parse_args())
