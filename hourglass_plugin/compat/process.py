"""All workarounds for a process of our own: the command line's, a script's."""
import importlib.util
import warnings

from .imports import import_mmpose
from .versions import (
    draw_circles_with_any_numpy,
    lay_configs_out_once,
    restore_find_loader,
)


def prepare_process() -> None:
    """Apply all workarounds to this process, which must be a program's own.

    Raises:
        ImportError: if MMPose is installed but does not import.
    """
    from . import safe_checkpoints  # noqa: F401, restricts the loader
    quiet_other_libraries()
    restore_find_loader()
    if importlib.util.find_spec('mmpose') is not None:
        import_mmpose()
        draw_circles_with_any_numpy()
    lay_configs_out_once()


def quiet_other_libraries() -> None:
    """Hide other libraries' warnings that users of this package cannot fix.

    Deprecations inside other libraries, and MMPose's note that records hold a
    centre and scale, which ours always do. Any other warning stays.
    """
    libraries = r'(mmcv|mmdet|mmengine|mmpose|torch)(\.|$)'
    for category in (DeprecationWarning, FutureWarning):
        warnings.filterwarnings('ignore', category=category, module=libraries)
    for message in ('pkg_resources is deprecated',
                    'Use the existing "bbox_center" and "bbox_scale"'):
        warnings.filterwarnings('ignore', message=message)
