#!/usr/bin/env python
"""Write a trained network as an ONNX file, for batches of any size.

Input `image` (batch, 3, height, width) float32, normalised with the mean and
the standard deviation in the file's metadata; output `heatmaps`, or with
--decode `keypoints` (batch, K, 3): x, y in 0-based pixels of the crop, and
score. The file is checked against PyTorch before it appears under its name.
"""
import argparse

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_export_arguments(parser, 'OUT.onnx')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Load the model, write the file, say what is in it."""
    with arguments.setting_up():
        from hourglass_plugin.atomic_files import check_outputs
        from hourglass_plugin.inference import export_files as exported_files
        check_outputs({'OUT': args.out}, [args.config, args.checkpoint])
        exported_files.check_can_write(args.out, '.onnx')
        module, metadata = exported_files.load_model(
            args.config, args.checkpoint, args.cfg_options, args.decode,
            args.eval_all_stacks, args.flip_test)
        written = exported_files.write_onnx(module, args.out, metadata)
    print(written.lines(args.out, module))


if __name__ == '__main__':
    arguments.run(main, parse_args())
