"""Arguments that several commands share, without importing torch."""
import argparse
import sys
from pathlib import Path


def existing_file(path: str) -> str:
    """Check an argument that names a file; a type for argparse."""
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f'there is no file {path}')
    return path


def positive_int(text: str) -> int:
    """Parse a whole number of 1 or more; a type for argparse."""
    if text.isdecimal() and 1 <= int(text) <= sys.maxsize:
        return int(text)
    raise argparse.ArgumentTypeError(
        f'{text} is not a whole number of 1 or more, or too large')


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[],
        metavar='KEY=VALUE',
        help='settings that replace those of the config, for example '
        'train_cfg.max_epochs=5; a list is written key="[a,b]", without '
        'spaces')


def add_fast_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--fast``."""
    parser.add_argument(
        '--fast', nargs='?', const='float32', metavar='PRECISION',
        choices=['float32', 'int8', 'bfloat16'],
        help='run the network in OpenVINO (pip install openvino): the same '
        'results in less time on CPUs. int8, measured on the first images, '
        'and bfloat16, where the CPU has it, change scores a little and are '
        'several times faster')


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of MMPose's tools for training and testing."""
    parser.add_argument(
        '--work-dir',
        help='folder of logs and checkpoints (default: the one in the '
        'config, else work_dirs/<name of the config>)')
    add_config_options(parser)
    parser.add_argument(
        '--show-dir',
        help='folder for images of the predictions, and sheet.jpg with some '
        'from the whole dataset')
    parser.add_argument(
        '--show', action='store_true', help='show the images in a window')
    parser.add_argument(
        '--interval', type=positive_int, default=1,
        help='with --show-dir or --show: draw every N-th person, or every '
        'N-th image of a detector (default: 1)')
    parser.add_argument(
        '--wait-time', type=float, default=1,
        help='seconds that a window stays (default: 1; 0: until a key)')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes were started; pytorch is torchrun, on GPUs '
        'or CPUs (default: none, one process)')
    # Older launchers pass it; torchrun sets the environment variable.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
