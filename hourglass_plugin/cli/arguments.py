"""What the tools share before torch and MMPose are imported.

``--help`` must answer at once, so a tool parses its arguments with this
module and argparse alone, and imports the package only then.
"""
import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Callable, Union

# In a clone the tools use the package beside them, installed or not.
_ROOT = Path(__file__).resolve().parent.parent
if (_ROOT / 'hourglass_plugin').is_dir():
    sys.path.insert(0, str(_ROOT))


def existing_file(path: str) -> str:
    """An argparse type: a file that is there."""
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f'there is no file {path}')
    return path


def positive_int(text: str) -> int:
    """An argparse type: 1 or more."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= sys.maxsize:
        raise argparse.ArgumentTypeError(
            f'{text} is not a whole number of 1 or more, or too large')
    return number


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        default=[],
        metavar='KEY=VALUE',
        help='settings that replace those of the config, for example '
        'train_cfg.max_epochs=5; a list is written key="[a,b]", without '
        'spaces')


def add_fast_argument(parser: argparse.ArgumentParser) -> None:
    """``--fast``."""
    parser.add_argument(
        '--fast',
        nargs='?',
        const='float32',
        choices=['float32', 'bfloat16', 'float16'],
        metavar='DTYPE',
        help='rewrite and compile the network first: the same results in '
        'less time, after a minute or so of compiling. With bfloat16 or '
        'float16 scores move a little, and it is faster where the device '
        'computes in them')


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that MMPose's tools have for training and testing."""
    parser.add_argument(
        '--work-dir',
        help='folder of logs and checkpoints; default: the one in the '
        'config, else work_dirs/<name of the config>')
    add_config_options(parser)
    parser.add_argument(
        '--show-dir',
        help='folder to which pictures of the predictions are written, and '
        'sheet.jpg with some from the whole data set')
    parser.add_argument(
        '--show', action='store_true', help='show the pictures in a window')
    parser.add_argument(
        '--interval',
        type=positive_int,
        default=1,
        help='with --show-dir or --show: a picture of every how many people, '
        'or of a detector\'s images (default: 1, every one)')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=1,
        help='seconds for which a window stays (default: 1; 0: until a key)')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes; pytorch is torchrun, on GPUs or on '
        'the processor (default: none, one process)')
    # Older launchers pass it; torchrun sets the environment variable.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)


def add_preparation_arguments(parser: argparse.ArgumentParser,
                              out: str) -> None:
    """The arguments that all tools have which prepare a data set.

    Args:
        parser: to which they are added.
        out: default folder of the data set.
    """
    parser.add_argument(
        'downloads', nargs='*', help='files and folders that were downloaded')
    parser.add_argument(
        '--out', default=out, help='folder to write (default: %(default)s)')
    parser.add_argument(
        '--copy',
        action='store_true',
        help='copy unpacked images instead of linking their folder')
    parser.add_argument(
        '--no-image-check',
        action='store_true',
        help='only see that the images are there; do not decode them')
    parser.add_argument(
        '--allow-other-counts',
        action='store_true',
        help='take annotations of other numbers of people, with a warning')
    parser.add_argument(
        '--force', action='store_true', help='prepare what is complete anew')


def add_drawing_arguments(parser: argparse.ArgumentParser, out: str,
                          num_train: int, num_val: int) -> None:
    """The arguments that all tools have which draw a data set.

    Args:
        parser: to which they are added.
        out: default folder of the data set.
        num_train: default number of images to train on.
        num_val: default number of images to validate on.
    """
    parser.add_argument(
        '--out', default=out, help='folder to write (default: %(default)s)')
    parser.add_argument(
        '--num-train',
        type=positive_int,
        default=num_train,
        help='images to train on (default: %(default)s)')
    parser.add_argument(
        '--num-val',
        type=positive_int,
        default=num_val,
        help='images to validate on (default: %(default)s)')
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='other seeds draw other pictures (default: %(default)s)')
    parser.add_argument(
        '--workers',
        type=positive_int,
        help='processes that draw (default: one per processor core); the '
        'pictures do not depend on it')
    parser.add_argument(
        '--force',
        action='store_true',
        help='replace a data set of other settings')


def draw_data_set(generator: ModuleType, args: argparse.Namespace) -> None:
    """Write a drawn data set, unless it is there.

    Args:
        generator: ``synthetic_people`` or ``synthetic_shapes``.
        args: those of :func:`add_drawing_arguments`.
    """
    from synthetic import Settings, available_cores
    from tqdm import tqdm
    with setting_up():
        settings = Settings(args.num_train, args.num_val, args.seed)
    images = (f'{args.num_train} images to train on and {args.num_val} to '
              'validate on')
    if generator.is_complete(args.out, settings):
        print(f'{args.out} is complete: {images}')
        return
    written = generator.write_data_set(args.out, settings, args.workers
                                       or available_cores(), args.force)
    for _ in tqdm(written, 'drawing', len(settings.images), unit='image'):
        continue
    print(f'wrote {images} to {args.out}')


def add_study_argument(parser: argparse.ArgumentParser) -> None:
    """``--out`` of the tools that train to see what holds."""
    parser.add_argument(
        '--out', help='folder that keeps the trainings (default: none does)')


@contextmanager
def study_folder(args: argparse.Namespace) -> Iterator[Path]:
    """The folder of :func:`add_study_argument`, or one that is removed."""
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(args.out or temporary)


def add_export_arguments(parser: argparse.ArgumentParser, out: str) -> None:
    """The arguments that both tools have which export a model.

    Args:
        parser: to which they are added.
        out: how the file's name is shown.
    """
    parser.add_argument('config', type=existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument('out', metavar=out, help='file to write')
    parser.add_argument(
        '--decode',
        action='store_true',
        help='keypoints come out in place of heatmaps, by the codec of the '
        'config')
    parser.add_argument(
        '--every-stack',
        action='store_true',
        help='an output for each stack (default: the one that the config '
        'decodes, as a rule the last)')
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help='average with the mirrored image, as test.py and predict.py do '
        'if the config says so, for twice the time (default: once)')
    add_config_options(parser)


@contextmanager
def setting_up() -> Iterator[None]:
    """While the user's files and settings are read: one line per error.

    Everything that a wrong path, config, option or checkpoint raises ends the
    program with its message. Once training or testing runs, an error is a
    programming error and is left alone, with its traceback.
    """
    try:
        yield
    except ValueError as error:
        _stop(error)
    except (KeyError, TypeError) as error:
        # What mmengine says to an unknown type, a class to a setting that it
        # does not know.
        if not re.search(
                r'registry\. |must contain the key|'
                r'__init__\(\) (got an unexpected|missing)', str(error)):
            raise
        _stop(error)
    except AssertionError as error:
        # What MMPose's data sets say without their annotation file.
        if 'does not exist' not in str(error):
            raise
        _stop(error)
    except ModuleNotFoundError as error:
        if (error.name or '').startswith('hourglass_plugin.'):
            raise
        _stop(error)


def run(main: Callable[[argparse.Namespace], None],
        arguments: argparse.Namespace) -> None:
    """Call ``main``; a file that cannot be used is one line on stderr.

    Exit status: 0, or 1 for an error, or 130 when interrupted.
    """
    try:
        _call(main, arguments)
    except SystemExit as end:
        _leave(end.code)
        raise
    _leave(0)


def _leave(status: Union[int, str, None]) -> None:
    processes = sys.modules.get('hourglass_plugin.processes')
    if processes is not None:
        processes.leave(status)


def _call(main: Callable[[argparse.Namespace], None],
          arguments: argparse.Namespace) -> None:
    try:
        main(arguments)
    except (OSError, FloatingPointError) as error:
        # By name, as importing the class takes seconds.
        if type(error).__name__ == 'UnreadableImageError':
            way_out = 'replace it, or remove it from the annotations'
            if hasattr(arguments, 'resume'):  # a training
                way_out += ('; or train without such images: --cfg-options '
                            'train_dataloader.dataset.skip_corrupt=True')
            error = OSError(f'{error}; {way_out}')
        _stop(error)
    except TypeError as error:
        # mmengine builds some parts only when training starts, optimizers
        # for example: an option that such a part does not know.
        unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        options = [
            option.partition('=')[0].split('.')[-1]
            for option in getattr(arguments, 'cfg_options', [])
        ]
        if unknown is None or unknown.group(1) not in options:
            raise
        _stop(error)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)


def _stop(error: Exception) -> None:
    """Print an error in one line and exit with status 1."""
    message = str(error.args[0]) if isinstance(error, KeyError) else str(error)
    if 'registry. ' in message:  # the package is imported, then
        from hourglass_plugin.cli.command_line import explain_unknown_type
        message = explain_unknown_type(message)
    if isinstance(error, OSError) and error.filename is not None:
        message = f'{error.strerror}: {error.filename}'
    if 'Traceback' in message:
        # An error of a data loading process brings the process's traceback.
        message = message.strip().splitlines()[-1]
    message = ' '.join(message.split()) or type(error).__name__
    sys.exit(f'{Path(sys.argv[0]).name}: error: {message}')
