"""Models that are wrapped, or have other settings for a while."""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


def without_wrapper(model: nn.Module) -> nn.Module:
    """Return a model that may be wrapped for several processes."""
    # Importing it takes half as long as importing torch.
    from mmengine.model import is_model_wrapper
    return model.get_submodule('module') if is_model_wrapper(model) else model


@contextmanager
def changed_test_cfg(model: Any, **settings: Any) -> Iterator[None]:
    """Change settings of ``test_cfg`` for a while."""
    original = model.test_cfg
    model.test_cfg = dict(original or {}, **settings)
    try:
        yield
    finally:
        model.test_cfg = original
