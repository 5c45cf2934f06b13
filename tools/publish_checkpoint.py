#!/usr/bin/env python
"""Make a small file to hand on out of a training's checkpoint.

Writes the weights in half precision with the names of config and data, as
plain tensors and texts, which torch.load reads with weights_only=True and all
tools read as any checkpoint. Nothing is written if the network would compute
anything else with them. Prints the SHA-256 for the card.
"""
import argparse

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--data',
        required=True,
        help='what it was trained on, in words')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the file and say what is in it."""
    with arguments.setting_up():
        from hourglass_plugin.inference.publish import publish_checkpoint
        done = publish_checkpoint(args.config, args.checkpoint, args.target,
                                  args.data)
    print(f'{args.target}: {done.num_weights:,} weights, '
          f'{done.num_bytes / 1e6:.2f} MB; heatmaps differ from those of '
          f'{args.checkpoint} by {done.difference:.2g} at most')
    print(f'SHA-256: {done.sha256}')


if __name__ == '__main__':
    arguments.run(main, parse_args())
