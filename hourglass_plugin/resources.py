"""Paths of the package's configs."""
import difflib
from pathlib import Path

_PACKAGE = Path(__file__).absolute().parent


def config_path(name: str = '') -> str:
    """Return the path of one of the configs, wherever they are installed.

    mmengine's own ``package::config`` form is closed to packages other than
    OpenMMLab's. In a config that inherits, where mmengine evaluates one
    expression and knows no imports::

        _base_ = __import__('hourglass_plugin').config_path(
            'td-hm_hg8_1xb6-220e_mpii-256x256.py')

    Args:
        name: the config's file name, which is unique, or its path below the
            folder of configs, with ``/`` on every system; empty for the
            folder.

    Raises:
        FileNotFoundError: if there is no such config.
    """
    # A checkout, an installed package. Other folders may be called configs.
    for folder in (_PACKAGE.parent / 'configs', _PACKAGE / '.mim' / 'configs'):
        if (folder / '_base_/models/stacked_hourglass.py').is_file():
            break
    else:
        raise FileNotFoundError(f'there are no configs in {_PACKAGE}: it was '
                                'copied without its .mim; install it with pip')
    configs = {'': str(folder)}
    for path in sorted(folder.rglob('*.py')):
        for key in (path.name, path.relative_to(folder).as_posix()):
            configs[key] = str(path)
    if name not in configs:
        close = difflib.get_close_matches(name, configs)
        raise FileNotFoundError(
            f'there is no config {name} below {folder}' +
            (f'; did you mean {", ".join(close)}?' if close else ''))
    return configs[name]
