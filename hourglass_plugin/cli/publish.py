"""Strip a checkpoint for sharing (fp16, weights only).

Writes the weights in half precision with the names of config and data, as
plain tensors and texts, which torch.load reads with weights_only=True and all
tools read as any checkpoint. Nothing is written if the network would compute
anything else with them. Prints the SHA-256 for the model card.
"""
import argparse

from .arguments import existing_file
from .errors import setting_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('config', type=existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--data', required=True, help='name of the training data')


def main(args: argparse.Namespace) -> None:
    """Write the file and print what is in it."""
    with setting_up():
        from .configs import load_config
        config = load_config(args.config)
        from ..inference.publish import publish_checkpoint
        done = publish_checkpoint(config, args.checkpoint, args.target,
                                  args.data)
    print(f'{args.target}: {done.num_weights:,} parameters, '
          f'{done.num_bytes / 1e6:.2f} MB; heatmaps differ from those of '
          f'{args.checkpoint} by {done.difference:.2g} at most')
    print(f'SHA-256: {done.sha256}')
