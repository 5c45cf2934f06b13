"""Import MMPose and MMDetection where one of their dependencies is missing.

Stand-ins are in ``sys.modules`` only while the library is being imported, and
only for modules that are missing or broken.
"""
import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import soft_nms
from .versions import restored_find_loader

logger = logging.getLogger('hourglass_plugin')

#: Names of the modules that were announced as missing, each once.
_announced: set[str] = set()


def import_mmpose() -> None:
    """Import MMPose, with stand-ins for unneeded missing dependencies.

    Each says so once in the log. Afterwards ``from mmpose.x import y`` works
    anywhere, and names bound inside MMPose to a stand-in work (pycocotools for
    xtcocotools) or raise an ImportError that names the package to install.

    Raises:
        ImportError: if MMPose is installed but does not import.
    """
    parts = ('models', 'datasets', 'codecs', 'evaluation', 'engine',
             'visualization', 'apis')
    _import_parts('MMPose', 'mmpose', parts, _STAND_INS)


def import_mmdet() -> None:
    """Import MMDetection as :func:`import_mmpose` does MMPose.

    Raises:
        ModuleNotFoundError: if MMDetection is not installed.
        ImportError: if it is installed but does not import.
    """
    if importlib.util.find_spec('mmdet') is None:
        raise ModuleNotFoundError(
            'hourglass_plugin.detectors needs MMDetection: install '
            'requirements/mminstall.txt with --no-deps and '
            'requirements/runtime.txt',
            name='mmdet')
    parts = 'models', 'datasets', 'evaluation', 'engine', 'visualization'
    _import_parts('MMDetection', 'mmdet', parts, ['mmcv._ext'])


def has_mmcv_operators() -> bool:
    """Return whether mmcv is the full one, with compiled operators."""
    return _import_error('mmcv._ext') is None


def _import_parts(library: str, package: str, parts: Sequence[str],
                  needed: Iterable[str]) -> None:
    """Import parts of a package under stand-ins, if they are not there yet.

    ``needed`` are names in ``_STAND_INS``; ``library`` is for messages.
    """
    names = [f'{package}.{part}' for part in parts]
    if all(name in sys.modules for name in names):
        return
    modules: dict[str, ModuleType] = {}
    for name in needed:
        error = _import_error(name)
        if error is None:
            continue
        make, consequence = _STAND_INS[name]
        modules.update(make())
        if name not in _announced:
            _announced.add(name)
            logger.info('hourglass_plugin: %s does not import (%s): %s', name,
                        _in_one_line(error), consequence)
    sys.modules.update(modules)
    try:
        with restored_find_loader():
            for name in names:
                importlib.import_module(name)
    except Exception as error:
        raise ImportError(
            f'{library} is installed but does not import '
            f'({_in_one_line(error)}); requirements/mminstall.txt and '
            'requirements/runtime.txt list the versions that fit '
            'together') from error
    finally:
        # They must not stay: libraries import mmcv._ext and torchvision to
        # learn whether they are there.
        for name in modules:
            sys.modules.pop(name, None)


def _mmcv_operators() -> dict[str, ModuleType]:
    """``mmcv.ops``, which ``mmpose.models`` imports, asks for all by name."""
    module = _module('mmcv._ext', nms=soft_nms.nms, softnms=soft_nms.softnms)

    def operator(name: str) -> Callable:
        if name.startswith('__'):
            raise AttributeError(name)
        return _raiser(f'mmcv.ops needs the compiled operator {name!r}: '
                       'install the full mmcv in place of mmcv-lite')

    vars(module)['__getattr__'] = operator
    return {'mmcv._ext': module}


def _torchvision() -> dict[str, ModuleType]:
    name = 'torchvision.transforms'
    transforms = _module(name, ToPILImage=_raiser(
        'drawing SimCC heatmaps needs torchvision: install the torchvision '
        'that fits your torch'))
    return {'torchvision': _module('torchvision', transforms=transforms),
            name: transforms}


def _xtcocotools() -> dict[str, ModuleType]:
    from . import coco
    parts = {
        'coco': _module('xtcocotools.coco', COCO=coco.COCO),
        'cocoeval': _module('xtcocotools.cocoeval', COCOeval=coco.COCOeval),
        'mask': coco.mask}
    modules = {f'xtcocotools.{name}': part for name, part in parts.items()}
    return {'xtcocotools': _module('xtcocotools', **parts), **modules}


def _pkg_resources() -> dict[str, ModuleType]:
    """For mmengine 0.10, which then searches MMPose's folder itself."""

    def get_distribution(name: str) -> None:
        raise LookupError(name)

    return {'pkg_resources': _module(
        'pkg_resources', DistributionNotFound=LookupError,
        get_distribution=get_distribution)}


#: A module that may be missing -> its stand-in, and what that means. They may
#: go when MMPose imports mmcv.ops, torchvision and xtcocotools only where it
#: calls them, and with mmengine 0.10.
_STAND_INS = {
    'mmcv._ext':
    (_mmcv_operators, 'of the compiled operators of mmcv, NMS and soft-NMS '
     'are replaced, and no hourglass needs another'),
    'torchvision.transforms':
    (_torchvision, 'MMPose is imported without it; only drawing SimCC needs '
     'it'),
    'xtcocotools.mask':  # the compiled part
    (_xtcocotools, 'MMPose uses pycocotools in its place'),
    'pkg_resources':  # which setuptools 82 no longer has
    (_pkg_resources, 'MMPose is imported without it; mmengine needs it for '
     "configs named 'mmpose::...': install 'setuptools<81'")}


def _import_error(name: str) -> Exception | None:
    """Import a module; its error if it is missing or broken, else None.

    Any exception counts: xtcocotools raises ValueError, torchvision
    RuntimeError. What is left of a package that does not import is removed, so
    that others meet its error again and not half of it.
    """
    try:
        importlib.import_module(name)
    except Exception as error:
        package = name.split('.')[0]
        for left in list(sys.modules) if package not in sys.modules else ():
            if left.startswith(f'{package}.'):
                del sys.modules[left]
        return error
    return None


def _module(name: str, **contents: Any) -> ModuleType:
    """Make a module with a spec, for ``importlib.util.find_spec``."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(contents)
    return module


def _raiser(message: str) -> Callable:
    """Make a function that raises ImportError with this message."""

    def unavailable(*args: Any, **kwargs: Any) -> None:
        raise ImportError(message)

    return unavailable


def _in_one_line(error: BaseException) -> str:
    """Return the kind and the first line of an error's message."""
    lines = str(error).strip().splitlines() or ['']
    return f'{type(error).__name__}: {lines[0]}'
