#!/usr/bin/env python
"""Prepare Leeds Sports Pose (LSP) and its extension.

1,000 people to train on, 1,000 to test on; 10,000 more to train on.
Download from https://sam.johnson.io/research/lsp.html and lspet.html; for
research only, with a reference to the papers:
  lsp_dataset.zip     images of LSP and joints.mat
  lspet_dataset.zip   the same of LSP extended; may be missing
Archives may be packed or unpacked; files are found by name at any depth, and
the two joints.mat are told apart by their shape.

Writes annotations/lsp_train.json, lsp_test.json, in 0-based pixels, and
images/lsp, images/lspet.
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
    parser = argument_parser(__doc__, 'data/lsp')
    parser.add_argument(
        '--joints',
        type=existing_file,
        metavar='FILE',
        help="LSP's joints.mat (default: found in the downloads)")
    parser.add_argument(
        '--extended-joints',
        type=existing_file,
        metavar='FILE',
        help='joints.mat of LSP extended')
    parser.add_argument(
        '--extended-images', metavar='FOLDER', help='folder of its images')
    parser.add_argument(
        '--without-extended',
        action='store_true',
        help='leave LSP extended out')
    return parser.parse_args(argv)


def main(args: argparse.Namespace) -> None:
    """Convert the dataset, unless it is complete."""
    from hourglass_plugin.datasets.readers.lsp import read_lsp, read_lsp_joints

    def read_part(path: Path, subset: str, folder: str) -> list:
        return [
            person._replace(image=folder + person.image)
            for person in read_lsp(path, subset)
        ]

    def read(downloads: Downloads) -> Contents:
        path = find_joints(downloads, args.joints, False, 'lsp_*.zip')
        if path is None:
            raise FileNotFoundError(
                'LSP needs joints.mat, which is in lsp_dataset.zip, but the '
                'downloads have none of shape 3 x 14 x people; see --help')
        train = read_part(path, 'train', 'lsp/')
        test = read_part(path, 'test', 'lsp/')
        counts = [('people of LSP to train on', len(train), 1000),
                  ('people of LSP to test on', len(test), 1000)]
        images = [
            ImageFolder('images/lsp', 'lsp/', args.images, path.parent,
                        '--images')
        ]
        warnings = []
        more = None if args.without_extended else find_joints(
            downloads, args.extended_joints, True, 'lspet*.zip')
        if more is not None:
            people = read_part(more, 'train', 'lspet/')
            total = len(read_lsp_joints(more).keypoints)
            counts.append(('people of LSP extended', total, 10000))
            images.append(
                ImageFolder('images/lspet', 'lspet/', args.extended_images,
                            more.parent, '--extended-images'))
            if total > len(people):
                warnings.append(f'{total - len(people)} people of LSP '
                                'extended have no annotated joint and are '
                                'left out')
            train = train + people
        elif not args.without_extended:
            warnings.append('LSP extended (lspet_dataset.zip), with 10000 '
                            'people to train on, is not in the downloads')
        return Contents([
            Subset('lsp_train.json', 'train on', train, 0),
            Subset('lsp_test.json', 'test on', test, 0)
        ], counts, images, warnings)

    convert_dataset(args, ['joints.mat'], ['lsp_*.zip', 'lspet*.zip'], read)


def find_joints(downloads: Downloads, given: str | None, extended: bool,
                archives: str) -> Path | None:
    """Return the ``joints.mat`` of LSP or of its extension, by its shape."""
    from hourglass_plugin.datasets.readers.lsp import read_lsp_joints
    if given is not None:
        if read_lsp_joints(given).extended != extended:
            raise ValueError(f'{given} is that of LSP'
                             f'{"" if extended else " extended"}')
        return Path(given)
    while True:
        found = only([
            path for path in downloads.files('joints.mat')
            if read_lsp_joints(path).extended == extended
        ])
        if found is not None or not downloads.unpack_next(archives):
            return found


if __name__ == '__main__':
    run(main, parse_args())
