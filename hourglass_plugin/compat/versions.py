"""Differences between versions of torch, mmengine and MMPose.

Each workaround is one small function with its reason, and the version after
which it can go.
"""
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def restore_find_loader() -> None:
    """Put ``pkgutil.find_loader`` back, which Python 3.14 removed.

    mmengine 0.10 and mmcv 2.1 ask it whether ``mmcv._ext`` is there. May go
    with them.
    """

    def find_loader(name: str) -> Any:
        spec = importlib.util.find_spec(name)
        return None if spec is None else spec.loader

    if not hasattr(pkgutil, 'find_loader'):
        pkgutil.find_loader = find_loader  # type: ignore[assignment]


@contextmanager
def restored_find_loader() -> Iterator[None]:
    """Put ``pkgutil.find_loader`` back for a while."""
    is_missing = not hasattr(pkgutil, 'find_loader')
    restore_find_loader()
    try:
        yield
    finally:
        if is_missing:
            del pkgutil.find_loader


def lay_configs_out_once() -> None:
    """Make mmengine format a config's text once, not five times of seconds.

    May go when mmengine keeps the text.
    """
    from mmengine.config import config as config_module

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


def draw_circles_with_any_numpy() -> None:
    """Let MMPose's visualizer draw keypoints with NumPy 2.4.

    It takes ``int`` of an array of one number, which NumPy 2.4 refuses. May
    go when MMPose passes on the number.
    """
    from mmpose.visualization.opencv_backend_visualizer import (
        OpencvBackendVisualizer,
    )
    original = OpencvBackendVisualizer.draw_circles
    if original.__module__ == __name__:
        return

    def draw_circles(self: Any, center: Any, radius: Any, *args: Any,
                     **options: Any) -> Any:
        if self.backend == 'opencv':  # matplotlib's wants the array
            radius = np.asarray(radius).item()
        return original(self, center, radius, *args, **options)

    OpencvBackendVisualizer.draw_circles = draw_circles


def is_compiling() -> bool:
    """Return whether ``torch.compile`` is tracing the calling code.

    ``torch.compiler.is_compiling`` came with torch 2.3. May go with 2.2.
    """
    if hasattr(torch.compiler, 'is_compiling'):
        return torch.compiler.is_compiling()
    return torch._dynamo.is_compiling()


def programs_serve_all_modules() -> bool:
    """Return whether one compiled program serves all modules of a kind.

    Before torch 2.5 ``torch.compile`` compiles for each module again, and
    fails where a buffer is replaced (2.1 does). May go with torch 2.4.
    """
    return torch_is_at_least(2, 5)


def onnx_exporter_options() -> dict[str, Any]:
    """Return the arguments for ``torch.onnx.export`` to trace the network.

    The exporter through ``torch.jit.trace`` must be asked for from torch 2.9
    on. It needs no onnxscript and takes 1 second for a network of one stack,
    the one through ``torch.export`` 15 to 30 (torch 2.13, two cores). May go
    when torch has the second alone.
    """
    options = inspect.signature(torch.onnx.export).parameters
    return dict(dynamo=False) if 'dynamo' in options else {}


def can_export_programs() -> bool:
    """Return whether ``torch.export`` exports batches of any size.

    torch 2.1 exports fixed sizes only. May go with torch 2.5.
    """
    return torch_is_at_least(2, 6)


def torch_is_at_least(major: int, minor: int) -> bool:
    """Compare versions with torch's, such as ``2.13.0+cpu``."""
    found = re.findall(r'\d+', torch.__version__)[:2]
    return [*map(int, found)] >= [major, minor]
