"""Where the files lie that come with the package and are not modules."""
import difflib
from pathlib import Path

_PACKAGE = Path(__file__).absolute().parent


def config_path(name: str = '') -> str:
    """The path of one of the package's configs, wherever it is installed.

    From a checkout it is the config itself, from a wheel the copy in the
    package's ``.mim``. mmengine's own ``package::config`` form is closed to
    packages other than OpenMMLab's. In Python::

        Config.fromfile(config_path('mpii/hg8_256x256.py'))

    In a config that inherits, where mmengine evaluates one expression and
    knows no imports::

        _base_ = __import__('hourglass_plugin').config_path(
            'mpii/hg8_256x256.py')

    Args:
        name: the config in the folder of configs, ``mpii/hg8_256x256.py`` for
            example, with ``/`` on every system; empty for the folder.

    Raises:
        ValueError: if the name is not one below the folder.
        FileNotFoundError: if there is no such config.
    """
    folder = _configs()
    if not name:
        return str(folder)
    if Path(name).is_absolute() or '..' in Path(name).parts:
        raise ValueError(f'{name!r} is not the name of a config: it is '
                         "counted from the folder of configs, such as "
                         "'mpii/hg8_256x256.py'")
    path = folder / name
    if not path.is_file():
        names = sorted(
            file.relative_to(folder).as_posix()
            for file in folder.rglob('*.py'))
        close = difflib.get_close_matches(name, names)
        hint = f"did you mean {', '.join(close)}?" if close else (
            f'they are in {folder}')
        raise FileNotFoundError(f'there is no config {name}; {hint}')
    return str(path)


def _configs() -> Path:
    """The folder of configs."""
    # A checkout, an installed package. Other folders may be called configs.
    for folder in (_PACKAGE.parent / 'configs', _PACKAGE / '.mim' / 'configs'):
        if (folder / '_base_' / 'stacked_hourglass.py').is_file():
            return folder
    raise FileNotFoundError(f'there are no configs in {_PACKAGE}: it was '
                            'copied without its .mim; install it with pip')
