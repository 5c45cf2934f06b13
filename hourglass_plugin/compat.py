"""Every workaround for a version of MMPose, mmengine, torch or NumPy.

Each is one small function that says what it does, why, and when it may go.
Nothing else in the package asks for versions.

* Stand-ins while MMPose or MMDetection is imported: :func:`import_mmpose`,
  :func:`import_mmdet`.
* Checkpoints that cannot run code: :func:`read_checkpoints_safely`.
* Other libraries' warnings: :func:`quiet_other_libraries`.
* The same work again: :func:`lay_configs_out_once`.
* Being compiled: :func:`is_compiling`, :func:`programs_serve_all_modules`,
  :func:`begin_cuda_graphs`.
* Being exported: :func:`onnx_exporter_options`, :func:`can_export_programs`.
"""
import codecs
import importlib
import importlib.util
import inspect
import logging
import os
import pickle
import re
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, BinaryIO, Callable, Optional

import numpy as np
import torch

from . import quick_imports, soft_nms

try:
    from mmengine.config import config as config_module
    from mmengine.logging import HistoryBuffer
    from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
    from mmengine.runner import checkpoint
    from mmengine.runner.checkpoint import CheckpointLoader
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'hourglass_plugin needs mmengine ({error}): install '
        'requirements/mminstall.txt with --no-deps and '
        'requirements/runtime.txt, or mmengine alone for the network alone',
        name=error.name) from error

logger = logging.getLogger('hourglass_plugin')

# ---------------------------------------------------------------------------
# Importing MMPose
# ---------------------------------------------------------------------------


def is_mmpose_installed() -> bool:
    """Whether MMPose can be found; it is not imported for the answer."""
    return importlib.util.find_spec('mmpose') is not None


def import_mmpose() -> None:
    """Import MMPose, with stand-ins for what it imports and does not need.

    A stand-in is there only while MMPose is being imported, only where the
    real module is missing or does not import, and says so once in the log.
    Afterwards ``from mmpose.x import y`` works anywhere, and what is bound
    inside MMPose to a stand-in works (pycocotools for xtcocotools) or raises
    an ImportError that names the package to install.

    Raises:
        ImportError: if MMPose is installed but does not import.
    """
    if quick_imports.are_asked_for():
        _import_parts('MMPose', 'mmpose', quick_imports.PARTS,
                      (_mmcv_operators, _xtcocotools))
        return
    _import_parts(
        'MMPose', 'mmpose', ('models', 'datasets', 'codecs', 'evaluation',
                             'engine', 'visualization', 'apis'),
        (_mmcv_operators, _torchvision, _xtcocotools, _pkg_resources))
    _draw_circles_with_any_numpy()


def import_mmdet() -> None:
    """Import MMDetection, with a stand-in for the operators of mmcv-lite.

    As :func:`import_mmpose`, for :mod:`hourglass_plugin.detectors`, with or
    without MMPose.

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
    _import_parts(
        'MMDetection', 'mmdet',
        ('models', 'datasets', 'evaluation', 'engine', 'visualization'),
        (_mmcv_operators, ))


def has_mmcv_operators() -> bool:
    """Whether mmcv is the full one, with compiled operators."""
    return _import_error('mmcv._ext') is None


def _import_parts(library: str, package: str, parts: Sequence[str],
                  stand_ins: Sequence[Callable]) -> None:
    """Import parts of a package under stand-ins, if they are not there yet."""
    names = [f'{package}.{part}' for part in parts]
    if all(name in sys.modules for name in names):
        return
    with _stand_ins(stand_ins):
        try:
            for name in names:
                importlib.import_module(name)
        except Exception as error:
            raise ImportError(
                f'{library} is installed but does not import '
                f'({_in_one_line(error)}); requirements/mminstall.txt and '
                'requirements/runtime.txt list the versions that fit '
                'together') from error


@contextmanager
def _stand_ins(makers: Sequence[Callable]) -> Iterator[None]:
    """Put stand-ins into ``sys.modules``, and take them out at the end.

    They must not stay: mmengine asks for ``mmcv._ext`` to learn whether mmcv
    has operators, and others try ``import torchvision`` for the same reason.
    """
    modules: dict[str, ModuleType] = {}
    for stand_in in makers:
        modules.update(stand_in())
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)


def _mmcv_operators() -> dict[str, ModuleType]:
    """``mmcv._ext``, mmcv's compiled operators, for mmcv-lite.

    ``import mmpose.models`` imports ``mmcv.ops`` (through EDPose and RTMO),
    which asks for every operator by name and keeps what it is given. The two
    with which detectors choose their boxes work
    (:mod:`hourglass_plugin.soft_nms`); no hourglass uses another. May go when
    mmcv-lite has the two, and MMPose imports ``mmcv.ops`` only where it calls
    it.
    """
    error = _import_error('mmcv._ext')
    if error is None:
        return {}
    _announce('mmcv._ext', error, 'of the compiled operators of mmcv, NMS and '
              'soft-NMS are replaced, and no hourglass needs another')
    module = _module('mmcv._ext', nms=soft_nms.nms, softnms=soft_nms.softnms)

    def operator(name: str) -> Callable:
        if name.startswith('__'):
            raise AttributeError(name)
        return _raiser(f'mmcv.ops needs the compiled operator {name!r}: '
                       'install the full mmcv in place of mmcv-lite')

    vars(module)['__getattr__'] = operator
    return {'mmcv._ext': module}


def _torchvision() -> dict[str, ModuleType]:
    """``torchvision.transforms.ToPILImage``, for MMPose's SimCC visualiser.

    A torchvision built for another torch is installed but does not import,
    so the question is whether it imports. May go when MMPose's visualiser
    draws without it.
    """
    error = _import_error('torchvision.transforms')
    if error is None:
        return {}
    _announce('torchvision', error,
              'MMPose is imported without it; only drawing SimCC needs it')
    transforms = _module(
        'torchvision.transforms',
        ToPILImage=_raiser('drawing SimCC heatmaps needs torchvision: '
                           'install the torchvision that fits your torch'))
    return {
        'torchvision': _module('torchvision', transforms=transforms),
        'torchvision.transforms': transforms,
    }


def _xtcocotools() -> dict[str, ModuleType]:
    """xtcocotools, by pycocotools.

    xtcocotools 1.14 has no wheels for Python 3.12, and its wheels are built
    for NumPy 1: with NumPy 2 the import fails. May go when MMPose uses
    pycocotools itself.
    """
    error = _import_error('xtcocotools.mask')  # the compiled part
    if error is None:
        return {}
    _announce('xtcocotools', error, 'MMPose uses pycocotools in its place')
    from . import coco
    parts = {
        'coco': _module('xtcocotools.coco', COCO=coco.COCO),
        'cocoeval': _module('xtcocotools.cocoeval', COCOeval=coco.COCOeval),
        'mask': coco.mask,
    }
    modules = {f'xtcocotools.{name}': part for name, part in parts.items()}
    return {'xtcocotools': _module('xtcocotools', **parts), **modules}


def _pkg_resources() -> dict[str, ModuleType]:
    """``pkg_resources``, which setuptools 82 no longer has.

    ``import mmpose.apis`` asks mmengine 0.10 for MMPose's folder, which falls
    back to Python's own search when ``pkg_resources`` knows no such package.
    Later only configs named like ``mmpose::...`` ask. May go with mmengine
    0.10; onedl-mmengine needs none.
    """
    error = _import_error('pkg_resources')
    if error is None:
        return {}
    _announce('pkg_resources', error,
              'MMPose is imported without it; mmengine needs it for configs '
              "named 'mmpose::...': install 'setuptools<81'")

    class DistributionNotFound(Exception):  # noqa: N818, a name of theirs
        """What pkg_resources raises for a package that it does not know."""

    def get_distribution(name: str) -> None:
        raise DistributionNotFound(name)

    return {
        'pkg_resources':
        _module(
            'pkg_resources',
            DistributionNotFound=DistributionNotFound,
            get_distribution=get_distribution)
    }


def _draw_circles_with_any_numpy() -> None:
    """Let MMPose's visualiser draw keypoints with NumPy 2.4.

    It takes ``int`` of the radius, which it hands on as an array of one
    number; NumPy 2.4 turns no array with dimensions into a number. May go
    when MMPose hands on the number.
    """
    from mmpose.visualization.opencv_backend_visualizer import (
        OpencvBackendVisualizer,
    )
    original = OpencvBackendVisualizer.draw_circles
    if original.__module__ == __name__:
        return

    def draw_circles(self: Any, center: Any, radius: Any, *args: Any,
                     **kwargs: Any) -> Any:
        if self.backend == 'opencv':  # matplotlib's wants the array
            radius = np.asarray(radius).item()
        return original(self, center, radius, *args, **kwargs)

    OpencvBackendVisualizer.draw_circles = draw_circles


def _import_error(name: str) -> Optional[Exception]:
    """Import a module; its error if it is missing or broken, else None.

    Any exception counts: xtcocotools raises ValueError ("numpy.dtype size
    changed"), torchvision RuntimeError ("operator torchvision::nms does not
    exist"). What is left of a package that does not import is removed, so that
    others meet its error again and not half of it.
    """
    try:
        importlib.import_module(name)
    except Exception as error:
        package = name.split('.')[0]
        if package not in sys.modules:
            for left in list(sys.modules):
                if left.startswith(f'{package}.'):
                    del sys.modules[left]
        return error
    return None


def _module(name: str, **contents: Any) -> ModuleType:
    """A module with a spec, which ``importlib.util.find_spec`` asks for."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(contents)
    return module


def _raiser(message: str) -> Callable:
    """A function that raises ImportError with this message when called."""

    def unavailable(*args: Any, **kwargs: Any) -> None:
        raise ImportError(message)

    return unavailable


#: Names of the modules that were announced as missing, each once.
_announced: set[str] = set()


def _announce(name: str, error: Exception, consequence: str) -> None:
    if name in _announced or quick_imports.are_asked_for():
        return
    _announced.add(name)
    found = 'is not installed'
    if not isinstance(error, ModuleNotFoundError):
        found = f'does not import ({_in_one_line(error)})'
    logger.warning('hourglass_plugin: %s %s: %s', name, found, consequence)


def _in_one_line(error: BaseException) -> str:
    """The kind and the first line of an error's message."""
    lines = str(error).strip().splitlines() or ['']
    return f'{type(error).__name__}: {lines[0]}'


# ---------------------------------------------------------------------------
# Checkpoints
# ---------------------------------------------------------------------------

# Before torch 2.4 a program cannot choose what weights_only may unpickle.
_TORCH_HAS_ALLOW_LIST = hasattr(torch.serialization, 'add_safe_globals')


def read_checkpoints_safely() -> None:
    """Make mmengine load its own checkpoints, and nothing that runs code.

    A checkpoint is a pickle, and unpickling calls what the file names. With
    torch >= 2.6 ``torch.load`` refuses all but tensors by default, which
    stops mmengine 0.10 from resuming its own checkpoints; with older torch
    mmengine loads anything, and so does onedl-mmengine as its second try.
    Here every load through mmengine (``Runner``, ``init_model``, pretrained
    weights) is restricted to tensors and :func:`mmengine_globals`, on every
    version. May go when mmengine does so itself.
    """
    load = CheckpointLoader.load_checkpoint.__func__
    if load.__module__ == __name__:
        return
    if _TORCH_HAS_ALLOW_LIST:
        torch.serialization.add_safe_globals([
            _named(name, value) for name, value in mmengine_globals().items()
        ])

    def load_checkpoint(cls: type,
                        filename: str,
                        map_location: Any = None,
                        logger: Any = 'current') -> Any:
        """Load a checkpoint of tensors and mmengine's own classes.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it holds anything else, or is no checkpoint.
        """
        try:
            with _weights_only():
                return load(cls, filename, map_location, logger)
        except _UNPICKLING_ERRORS as error:
            reason = _refusal(error, filename)
            if reason is None:
                raise
        raise ValueError(f'{filename} {reason}')

    CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
    # Without onedl-mmengine's message about the second try, which is none.
    if hasattr(checkpoint, '_safe_torch_load'):
        checkpoint._safe_torch_load = torch.load


def mmengine_globals() -> dict[str, Any]:
    """What mmengine's own checkpoints hold besides tensors, by pickled name.

    The message hub's ``HistoryBuffer``s with their NumPy arrays and the names
    of their statistics, best scores as NumPy scalars, the data set's meta
    information with arrays of numbers (``bytes`` if one is empty), and of
    schedulers the milestones and OneCycleLR's two curves. NumPy 1 and 2
    pickle the same two functions under different names; each reads the
    other's files here.
    """
    found = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler':
        OneCycleParamScheduler,
        'builtins.getattr': _mmengine_attribute,
        'builtins.bytes': bytes,
        'collections.Counter': Counter,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
    }
    array = np.zeros(1)
    functions: list[Any] = [array.__reduce__()[0], array[0].__reduce__()[0]]
    for function in functions:
        for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
            found[f'{module}.{function.__name__}'] = function
    for code in '?bBhHiIlLqQefd':
        number = type(np.dtype(code))
        found[f'{number.__module__}.{number.__name__}'] = number
    return found


# The functions of classes that mmengine's checkpoints name.
_MMENGINE_ATTRIBUTES = (
    (HistoryBuffer, 'mean'),
    (HistoryBuffer, 'min'),
    (HistoryBuffer, 'max'),
    (HistoryBuffer, 'current'),
    (OneCycleParamScheduler, '_annealing_cos'),
    (OneCycleParamScheduler, '_annealing_linear'),
)


def _mmengine_attribute(owner: Any, name: str) -> Callable:
    """``getattr`` for the few uses that mmengine's pickles make of it.

    A free ``getattr`` would lead from any class to all that Python can do.
    """
    for known_owner, known_name in _MMENGINE_ATTRIBUTES:
        if owner is known_owner and name == known_name:
            return getattr(owner, name)
    raise pickle.UnpicklingError('GLOBAL builtins.getattr')


def _named(name: str, value: Any) -> Any:
    """Classes as they are; functions under the name that the pickle uses.

    ``add_safe_globals`` takes ``(function, name)`` only since torch 2.6.
    """
    if isinstance(value, type):
        return value

    def function(*args: Any) -> Any:
        return value(*args)

    function.__module__, function.__name__ = name.rsplit('.', 1)
    function.__qualname__ = function.__name__
    return function


@contextmanager
def _weights_only() -> Iterator[None]:
    """Every ``torch.load`` inside acts as with ``weights_only=True``.

    By torch's own switch, so that loads from files, URLs and object stores
    are all covered, and a ``weights_only=False`` does not get around it.
    """
    switches = {
        'TORCH_FORCE_WEIGHTS_ONLY_LOAD': '1',
        'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD': '0',
    }
    saved = {name: os.environ.get(name) for name in switches}
    serialization: Any = torch.serialization  # a module of it is replaced
    unpickler = serialization._weights_only_unpickler
    os.environ.update(switches)
    if not _TORCH_HAS_ALLOW_LIST:
        serialization._weights_only_unpickler = RestrictedPickle
    try:
        yield
    finally:
        serialization._weights_only_unpickler = unpickler
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class RestrictedPickle:
    """Stands for the ``pickle`` module in ``torch.load`` before torch 2.4.

    Their own restricted unpickler cannot be told about more classes. This one
    finds what theirs finds and :func:`mmengine_globals`, nothing else. May go
    with torch 2.3.
    """

    class Unpickler(pickle.Unpickler):
        """Looks names up in the list of allowed ones, imports nothing."""

        def find_class(self, module: str, name: str) -> Any:
            """The allowed object of this name, or an UnpicklingError."""
            if module == '__builtin__':  # its name in pickles of protocol 2
                module = 'builtins'
            full_name = f'{module}.{name}'
            allowed = {
                **torch._weights_only_unpickler._get_allowed_globals(),
                **mmengine_globals(), '_codecs.encode': codecs.encode
            }
            if full_name not in allowed:
                raise pickle.UnpicklingError(f'GLOBAL {full_name}')
            return allowed[full_name]

    @classmethod
    def load(cls, file: BinaryIO, **options: Any) -> Any:
        """Unpickle one object."""
        return cls.Unpickler(file, **options).load()


# What unpickling a file that is no checkpoint can raise.
_UNPICKLING_ERRORS = (pickle.UnpicklingError, EOFError, LookupError,
                      RuntimeError, ValueError, struct.error)


def _refusal(error: Exception, filename: str) -> Optional[str]:
    """Why a file is not loaded; None if the file is not the reason."""
    foreign = re.search(r'GLOBAL ([\w.]+)', str(error))
    if foreign:
        return (f'holds {foreign[1]}, which is neither a tensor nor a class '
                "of mmengine's own checkpoints, and could run code when it is "
                'loaded, so the file is refused. If you trust where it comes '
                'from, load it yourself with torch.load(file, '
                'weights_only=False) and save its weights alone with '
                "torch.save({'state_dict': ...}, new_file)")
    if not os.path.isfile(os.path.expanduser(filename)):
        return None  # a name that is not known, for example
    if isinstance(error, RuntimeError) and 'PytorchStreamReader' not in str(
            error):
        return None  # a device that is not there, for example
    return 'is not a checkpoint of PyTorch, or only a part of one'


# ---------------------------------------------------------------------------
# Warnings
# ---------------------------------------------------------------------------


def quiet_other_libraries() -> None:
    """Hide others' warnings that no user of this package can act on.

    Deprecations inside other libraries, and MMPose's note, once per process,
    that records hold a centre and scale, which ours always do. Warnings of
    any other kind stay, those about the user's data among them, and so does
    what the user's own code raises. May shrink as the libraries move on.
    """
    libraries = r'(mmcv|mmdet|mmengine|mmpose|torch)(\.|$)'
    for category in (DeprecationWarning, FutureWarning):
        warnings.filterwarnings('ignore', category=category, module=libraries)
    for message in ('pkg_resources is deprecated',
                    'Use the existing "bbox_center" and "bbox_scale"'):
        warnings.filterwarnings('ignore', message=message)


def lay_configs_out_once() -> None:
    """Make mmengine format a config's text once, not five times.

    It is laid out by yapf for the log, the dumped file, the message hub and
    the visualiser each, which takes seconds where a config has the keypoints
    of its data set. The same text gets the same layout. May go when mmengine
    keeps it.
    """
    # onedl-mmengine has no such name: it imports yapf where it formats.
    format_code = getattr(config_module, 'FormatCode', None)
    if format_code is None or hasattr(format_code, 'kept'):
        return
    kept: dict[str, Any] = {}

    def format_code_once(text: str, **options: Any) -> Any:
        if text not in kept:
            kept.clear()  # of one config at a time
            kept[text] = format_code(text, **options)
        return kept[text]

    format_code_once.kept = kept  # type: ignore[attr-defined]
    config_module.FormatCode = format_code_once


# ---------------------------------------------------------------------------
# Compiling
# ---------------------------------------------------------------------------


def is_compiling() -> bool:
    """Whether ``torch.compile`` is tracing the code that asks.

    ``torch.compiler.is_compiling`` came with torch 2.3; before, the same
    function stands in ``torch._dynamo``. May go with torch 2.2.
    """
    if hasattr(torch.compiler, 'is_compiling'):
        return torch.compiler.is_compiling()
    return torch._dynamo.is_compiling()


def programs_serve_all_modules() -> bool:
    """Whether one compiled program serves all modules of the same kind.

    From torch 2.5 on a module's weights and buffers are arguments of what
    ``torch.compile`` makes. Before, it compiles for each module again, and
    fails where a buffer is replaced (2.1 does). May go with torch 2.4.
    """
    return getattr(torch._dynamo.config, 'inline_inbuilt_nn_modules', False)


def begin_cuda_graphs() -> None:
    """Say that the CUDA graphs replayed next belong together.

    ``torch.compiler.cudagraph_mark_step_begin`` came with torch 2.2; before,
    the same function stands in ``torch._inductor``. May go with torch 2.1.
    """
    if hasattr(torch.compiler, 'cudagraph_mark_step_begin'):
        torch.compiler.cudagraph_mark_step_begin()
    else:
        torch._inductor.cudagraph_mark_step_begin()


# ---------------------------------------------------------------------------
# Exporting
# ---------------------------------------------------------------------------


def onnx_exporter_options() -> dict[str, Any]:
    """Arguments with which ``torch.onnx.export`` traces the network.

    torch has two exporters. The older one, through ``torch.jit.trace``, is in
    every version from 2.1 to 2.13, where it must be asked for from 2.9 on; it
    needs no onnxscript and writes a network of one stack in 1 second. The one
    through ``torch.export`` takes 15 to 30 seconds (torch 2.13, two cores)
    for a file that computes the same. Batches are of any size in both. May go
    when torch has no other than the second.
    """
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        return dict(dynamo=False)
    return {}


def can_export_programs() -> bool:
    """Whether ``torch.export`` gives programs for batches of any size.

    torch 2.1 exports fixed sizes only, and packages of AOTInductor came with
    torch 2.6. May go with torch 2.5.
    """
    version = re.match(r'(\d+)\.(\d+)', torch.__version__)
    return version is not None and (int(version[1]), int(version[2])) >= (2, 6)
