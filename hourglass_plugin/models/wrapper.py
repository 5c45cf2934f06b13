"""Models that are wrapped for several processes."""
from torch import nn


def without_wrapper(model: nn.Module) -> nn.Module:
    """Return a model that may be wrapped for several processes."""
    # Importing it takes half as long as importing torch.
    from mmengine.model import is_model_wrapper
    return model.get_submodule('module') if is_model_wrapper(model) else model
