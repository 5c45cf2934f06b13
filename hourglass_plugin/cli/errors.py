"""Run a command: one line for each error of the user, and exit codes.

0 for success, 1 for an error, 2 for wrong arguments, 130 when interrupted.
"""
import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

# Parts of what mmengine says about a mistyped type, and Python about a
# mistyped argument. Any other KeyError or TypeError is a programming error.
_MISTYPED = (' registry. ', 'must contain the key', '__init__() ')


def run_command(command: ModuleType, **options: str) -> None:
    """Parse the command line and run a command.

    Args:
        command: a module of :mod:`hourglass_plugin.cli`.
        options: of its ``add_arguments``.
    """
    parser = argparse.ArgumentParser(
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_arguments(parser, **options)
    run(command.main, parser.parse_args())


def run(main: Callable[[argparse.Namespace], None],
        args: argparse.Namespace) -> None:
    """Call ``main``; a file that cannot be used is one line on stderr.

    Exits with status 1 for an error, 130 when interrupted.
    """
    try:
        _call(main, args)
    except SystemExit as end:
        _leave(end.code)
        raise
    _leave(0)


@contextmanager
def setting_up() -> Iterator[None]:
    """Print one line for each error while settings and files are read.

    Everything that a wrong path, config, option or checkpoint raises ends the
    program with its message. Once training or testing runs, an error is a
    programming error and is left alone, with its traceback.
    """
    try:
        yield
    except (KeyError, TypeError) as error:
        if not any(part in str(error) for part in _MISTYPED):
            raise
        _stop(error)
    except ImportError as error:
        if (error.name or '').startswith('hourglass_plugin.'):
            raise
        _stop(error)
    # Datasets of MMPose assert that their files exist.
    except (ValueError, AssertionError) as error:
        _stop(error)


def _call(main: Callable[[argparse.Namespace], None],
          args: argparse.Namespace) -> None:
    try:
        main(args)
    except (OSError, FloatingPointError) as error:
        _stop(error, is_training=hasattr(args, 'resume'))
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)


def _leave(status: int | str | None) -> None:
    distributed = sys.modules.get('hourglass_plugin.cli.distributed')
    if distributed is not None:
        distributed.leave(status)


def _stop(error: Exception, is_training: bool = False) -> None:
    """Print an error in one line and exit with status 1."""
    message = str(error)
    if isinstance(error, KeyError):
        message = explain_unknown_type(str(error.args[0]))
    elif isinstance(error, OSError) and error.filename is not None:
        message = f'{error.strerror}: {error.filename}'
    elif isinstance(error, OSError):
        message += _remedy(error, is_training)
    message = ' '.join(message.split()) or type(error).__name__
    sys.exit(f'{Path(sys.argv[0]).name}: error: {message}')


def _remedy(error: OSError, is_training: bool) -> str:
    """Return what to do about an image that cannot be used; else nothing."""
    from ..transforms.image_io import UnreadableImageError
    if not isinstance(error, UnreadableImageError):
        return ''
    remedy = '; replace it, or remove it from the annotations'
    if is_training:
        remedy += ('; or skip such images: --cfg-options '
                   'train_dataloader.dataset.skip_corrupt=True')
    return remedy


def explain_unknown_type(message: str) -> str:
    """Add the nearest names to mmengine's message about an unknown type.

    Args:
        message: of any KeyError.

    Returns:
        One line with the nearest names of that registry; other messages as
        they are.
    """
    found = re.match(r'(\S+) is not in the (\w+)::(.+?) registry\. ', message)
    if found is None:
        return message
    from mmengine.registry import Registry
    name, scope, kind = found.groups()
    known: set[str] = set()
    for part in vars(sys.modules.get(f'{scope}.registry', object)).values():
        if isinstance(part, Registry) and part.name == kind:
            node: Registry | None = part
            while node is not None:
                known.update(node.module_dict)
                node = node.parent
    close = difflib.get_close_matches(name, sorted(known))
    nearest = f'did you mean {", ".join(map(repr, close))}?' if close else (
        'there is no similar name; custom_imports must import the module that '
        'registers it')
    return f'{name!r} is not in the registry {scope}::{kind}; {nearest}'
