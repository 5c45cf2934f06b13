#!/usr/bin/env python
"""Write a trained network as a file, for any batch size.

OUT.onnx is an ONNX file, OUT.pt2 a program of torch.export, from which
AOTInductor and ExecuTorch start; both run without this package. Input `image`
(batch, 3, height, width) float32, normalised with the mean and the standard
deviation in the file's metadata; output `heatmaps`, or with --decode
`keypoints` (batch, K, 3): x, y in 0-based pixels of the crop, and score. The
file is verified against PyTorch before it is saved.
"""
import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hourglass_plugin.cli import arguments, errors


def add_arguments(parser: argparse.ArgumentParser, suffix: str) -> None:
    """Add the arguments for files that end in ``.onnx`` or ``.pt2``."""
    parser.set_defaults(suffix=suffix, opset=17)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument('out', metavar=f'OUT{suffix}', help='file to write')
    parser.add_argument(
        '--decode',
        action='store_true',
        help='output keypoints instead of heatmaps, by the codec of the '
        'config')
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help='average with the flipped image, as test.py and predict.py do '
        'if the config has flip_test=True, for twice the time (default: no)')
    arguments.add_config_options(parser)
    if suffix == '.onnx':
        parser.add_argument(
            '--opset',
            type=int,
            choices=range(13, 21),
            default=17,
            help="version of ONNX's operators (default: 17)")


def main(args: argparse.Namespace) -> None:
    """Load the model, write the file, print what is in it."""
    with errors.setting_up():
        from hourglass_plugin.atomic_files import check_outputs
        from hourglass_plugin.cli.configs import load_config
        check_outputs({'OUT': args.out}, [args.config, args.checkpoint])
        config = load_config(args.config, args.cfg_options)
        from hourglass_plugin.inference import export
        from hourglass_plugin.inference.pose_model import build_pose_model
        from hourglass_plugin.models.weights.loading import read_checkpoint
        export.check_can_write(args.out, args.suffix)
        model = build_pose_model(config, read_checkpoint(args.checkpoint),
                                 args.checkpoint, 'cpu')
        module = export.ExportModel(model, args.decode, args.flip_test)
        metadata = export.describe(module, args.config, args.checkpoint)
        written = export.write_file(module, args.out, metadata, args.opset)
    width, height = module.input_size
    print(f'{args.out}: {os.path.getsize(args.out) / 1e6:.1f} MB\n'
          f'  input:  image (batch, 3, {height}, {width}) float32\n'
          f'  output: {module.output_name} (batch, '
          f'{", ".join(map(str, written.shape))}) float32')
    print(f'  largest difference from PyTorch: {written.difference:.1e} '
          f'({export.TOLERANCE:g} allowed, more where rounding moves a flat '
          f'maximum; {written.compared} of {written.total} '
          f'{"keypoints" if args.decode else "heatmaps"} compared)')


if __name__ == '__main__':
    errors.run_command(sys.modules[__name__], suffix='.onnx')
