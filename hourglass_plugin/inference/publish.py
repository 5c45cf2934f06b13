"""Strip a checkpoint for sharing (fp16, weights only)."""
import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor

from .. import __version__
from ..atomic_files import atomic_file, check_outputs
from ..models.weights.loading import read_checkpoint
from ..resources import config_path
from .predictor import build_pose_model

#: Largest change of a heatmap, whose peaks are 1 high; half precision rounds
#: a weight by 0.05 % at most.
TOLERANCE = 0.005


class Published(NamedTuple):
    """Facts about a written file."""

    num_bytes: int
    sha256: str
    num_weights: int
    difference: float  #: the largest one between heatmaps before and after


def publish_checkpoint(config: Config, source: str, target: str,
                       data: str) -> Published:
    """Write a checkpoint's weights in half precision, and nothing else.

    The file holds ``state_dict``, and ``meta`` with the names of config and
    data and the package's version: tensors, numbers and texts. It is read like
    any checkpoint, and its weights become float32 again.

    Args:
        config: of the checkpoint, from a file, whose name is written.
        source: checkpoint of a training.
        target: file to write; it appears when it is complete and verified.
        data: name of the training data.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if they do not fit each other, or half precision would
            change the network's outputs; nothing is written.
    """
    check_outputs({'target': target}, [config.filename, source])
    model = build_pose_model(config, read_checkpoint(source), source, 'cpu')
    expected = _outputs(model, config)
    halved = {
        name: tensor.half() if tensor.is_floating_point() else tensor.clone()
        for name, tensor in model.state_dict().items()
    }
    for name, tensor in halved.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f'{source}: {name} has values beyond 65504')
    model.load_state_dict(halved)
    difference = max(
        float((after - before).abs().max())
        for before, after in zip(expected, _outputs(model, config)))
    if not difference <= TOLERANCE:
        raise ValueError(f'{source}: in half precision heatmaps differ by '
                         f'{difference:.3g}, more than {TOLERANCE}')
    path = Path(str(config.filename)).resolve()
    folder = Path(config_path()).resolve()
    inside = folder in path.parents
    meta = dict(
        config=path.relative_to(folder).as_posix() if inside else path.name,
        data=data,
        hourglass_plugin_version=__version__)
    # torch writes the name of a file into it. From a buffer, equal weights
    # are equal bytes.
    buffer = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=halved), buffer)
    written = buffer.getvalue()
    with atomic_file(target) as partial:
        partial.write_bytes(written)
    return Published(
        len(written),
        hashlib.sha256(written).hexdigest(),
        sum(weight.numel() for weight in model.parameters()), difference)


def _outputs(model: BaseModel, config: Config) -> list[Tensor]:
    """Return the network's outputs for images of the config's size."""
    width, height = config.model.head.decoder.input_size
    generator = torch.Generator().manual_seed(0)
    # Structures of all sizes, as images have.
    noise = [
        torch.nn.functional.interpolate(
            torch.rand(2, 3, cells, cells, generator=generator),
            (height, width),
            mode='bilinear') for cells in (4, 16, 64)
    ]
    with torch.no_grad():
        return list(model.backbone(torch.stack(noise).mean(0)))
