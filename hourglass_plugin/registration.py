"""Registration of this package's classes in the OpenMMLab registries.

The network and the training hooks belong to mmengine's root registries,
everything else to MMPose's. Each group is imported together with the module
of a library that it needs: at once if that is already imported, else as soon
as it is. Importing :mod:`hourglass_plugin.models` therefore imports no MMPose,
works beside one that is broken, and takes little longer than torch.

Each sub-package first calls :func:`register_with` in its ``__init__``, before
any of its modules is half imported, so that every order of imports works.
"""
import importlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_HOOKS = ('engine', 'inference.engines')

#: A library or a part of it -> our modules that register classes with it, in
#: order; MMPose's first imports it where dependencies of it are missing.
#: mmengine registers its own hooks in the same moment.
REGISTERED_WITH = {
    'mmengine': ('models', ),
    'mmengine.hooks': _HOOKS,
    'mmengine.runner': _HOOKS,
    'mmpose': ('compat.mmpose', 'codecs', 'datasets', 'evaluation',
               'transforms', 'models.head', 'models.pose_estimator',
               'report.hook', 'report.summary_hook',
               'visualization.pose_hook'),
}


def register() -> None:
    """Register all classes now or when their library is imported.

    Raises:
        ModuleNotFoundError: if mmengine is not installed.
    """
    if importlib.util.find_spec('mmengine') is None:
        raise ModuleNotFoundError(
            'hourglass_plugin needs mmengine: install '
            'requirements/mminstall.txt with --no-deps and '
            'requirements/runtime.txt, or mmengine alone for the network '
            'alone',
            name='mmengine')
    for library in REGISTERED_WITH:
        if sys.modules.get(library) is not None:
            register_with(library)
        elif not any(
                isinstance(finder, _Finder) and finder.library == library
                for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder(library))


def register_with(library: str) -> None:
    """Import the modules that register classes in a library's registries.

    Args:
        library: a key of ``REGISTERED_WITH``.

    Raises:
        ImportError: if the library is installed but does not import.
    """
    for name in REGISTERED_WITH[library]:
        importlib.import_module(f'{__package__}.{name}')


class _Finder(MetaPathFinder):
    """Waits for the import of one library, then removes itself."""

    def __init__(self, library: str) -> None:
        self.library = library

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        """The library's own spec, whose loader also registers our classes."""
        if fullname != self.library:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            self._extend(spec.loader)
        return spec

    def _extend(self, loader: Any) -> None:
        """Let a library's loader register our classes, once."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            loader.exec_module = execute
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            if self.library == 'mmengine.hooks' and (
                    'mmengine.runner' in sys.modules):
                return  # the runner, which imports them, is not complete yet
            try:
                register_with(self.library)
            except ImportError as error:
                # The library's user gets the library; our own tools import
                # our modules by name and raise this error.
                logging.getLogger(__package__).error(
                    'hourglass_plugin is not registered with %s: %s',
                    self.library, error)

        loader.exec_module = exec_module
