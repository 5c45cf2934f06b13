#!/usr/bin/env python
"""Write a trained network as a program of torch.export, for any batch size.

Input and output are those of export_onnx.py. The program needs torch, and
none of this package; it is what AOTInductor and ExecuTorch start from. The
file is checked against PyTorch before it appears under its name.
"""
import argparse

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_export_arguments(parser, 'OUT.pt2')
    parser.add_argument(
        '--aot-inductor',
        action='store_true',
        help='compile it for this kind of processor: the file is a package '
        'that Python and C++ run without compiling. Needs a C++ compiler')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Load the model, write the file, say what is in it."""
    with arguments.setting_up():
        from hourglass_plugin.atomic_files import check_outputs
        from hourglass_plugin.inference import export_files as exported_files
        check_outputs({'OUT': args.out}, [args.config, args.checkpoint])
        exported_files.check_can_write(args.out, '.pt2')
        module, metadata = exported_files.load_model(
            args.config, args.checkpoint, args.cfg_options, args.decode,
            args.eval_all_stacks, args.flip_test)
        written = exported_files.write_program(module, args.out, metadata,
                                               args.aot_inductor)
    print(written.lines(args.out, module))


if __name__ == '__main__':
    arguments.run(main, parse_args())
