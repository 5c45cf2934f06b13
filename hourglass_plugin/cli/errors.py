"""Run a command: one line for each error of the user, and exit codes.

0 for success, 1 for an error, 2 for wrong arguments, 130 when interrupted.
"""
import argparse
import difflib
import re
import sys
import warnings
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
        command: a module of :mod:`hourglass_plugin.cli`, or a tool.
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
    # mmengine's, at its import; nothing that a user could change.
    warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
    status: int | str | None = 0
    try:
        main(args)
    except (OSError, FloatingPointError) as error:
        status = _line(error)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        status = 130
    except SystemExit as end:
        status = end.code
    distributed = sys.modules.get('hourglass_plugin.cli.distributed')
    if distributed is not None:
        distributed.leave(status)
    if status != 0:
        sys.exit(status)


@contextmanager
def setting_up() -> Iterator[Callable[[], None]]:
    """Print one line for each error while settings and files are read.

    Everything that a wrong path, config, option or checkpoint raises ends the
    program with its message. Later an error is a programming error and keeps
    its traceback.

    Yields:
        A function that ends the set-up, for a runner that is built and run
        inside.
    """
    ended: list[bool] = []
    try:
        yield lambda: ended.append(True)
    # Datasets of MMPose assert that their files exist.
    except (AssertionError, ImportError, KeyError, TypeError,
            ValueError) as error:
        if ended or not _is_about_settings(error):
            raise
        sys.exit(_line(error))


def _is_about_settings(error: Exception) -> bool:
    if isinstance(error, (KeyError, TypeError)):
        return any(part in str(error) for part in _MISTYPED)
    if isinstance(error, ImportError):
        return not (error.name or '').startswith('hourglass_plugin.')
    return True


def _line(error: Exception) -> str:
    """Return an error as one line with the program's name."""
    message = str(error)
    if isinstance(error, KeyError):
        message = _with_close_names(str(error.args[0]))
    elif isinstance(error, OSError) and error.filename is not None:
        message = f'{error.strerror}: {error.filename}'
    elif isinstance(error, OSError):
        from ..transforms.image_io import UnreadableImageError
        if isinstance(error, UnreadableImageError):
            message += '; replace it, or remove it from the annotations'
    message = ' '.join(message.split()) or type(error).__name__
    return f'{Path(sys.argv[0]).name}: error: {message}'


def _with_close_names(message: str) -> str:
    """Add the nearest names to mmengine's message about an unknown type."""
    found = re.match(r'(\S+) is not in the (\w+)::(.+?) registry\. ', message)
    if found is None:
        return message
    from mmengine.registry import Registry
    name, scope, kind = found.groups()
    parts = vars(sys.modules.get(f'{scope}.registry', object)).values()
    known = {key for part in parts if isinstance(part, Registry)
             and part.name == kind for node in (part, part.parent) if node
             for key in node.module_dict}
    close = difflib.get_close_matches(name, sorted(known))
    return (f'{name!r} is not in the registry {scope}::{kind}; ' +
            (f'did you mean {", ".join(map(repr, close))}?' if close else
             'custom_imports must import the module that registers it'))
