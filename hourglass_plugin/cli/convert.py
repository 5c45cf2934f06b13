"""Convert published PyTorch weights of the stacked hourglass for mmengine.

Reads files of the ports by bearpaw (W. Yang), anibali and Princeton, finds
out which one it is, how many stacks, residual modules and keypoints it has,
and writes a checkpoint for tools/test.py and tools/predict.py. Prints the
config that fits. Every tensor must find its place, or nothing is written.
"""
import argparse

from .errors import setting_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('source', help='checkpoint of a published port')
    parser.add_argument('target', help='file to write')


def main(args: argparse.Namespace) -> None:
    """Convert the file and print how to use it."""
    with setting_up():
        from ..models.weights.conversion import convert_checkpoint
        done = convert_checkpoint(args.source, args.target)
    network = done.arguments
    num_keypoints = network['num_keypoints']
    print(f'{args.source}: {done.layout}, {network["num_stacks"]} stacks of '
          f'{network["num_blocks"]} residual modules, '
          f'{num_keypoints or "no"} keypoints')
    for remark in done.remarks:
        print(remark)
    print(f'{args.target}: {done.num_weights:,} parameters written')
    config = f'configs/{done.config}'
    if num_keypoints != 16:
        print(f'It fits a copy of {config} in which you name the keypoints '
              '(docs/custom_dataset.md):')
        config = 'configs/custom_dataset/my_keypoints.py'
    else:
        print(f'It fits {config}:')
    options = ' '.join(['', '--cfg-options', *done.options])
    if num_keypoints is None:
        print(f'    python tools/train.py {config}{options} '
              f'load_from={args.target}')
        return
    options = options if done.options else ''
    print(f'    python tools/test.py {config} {args.target}{options}\n'
          f'    python tools/predict.py photo.jpg {config} {args.target}'
          f'{options}')
