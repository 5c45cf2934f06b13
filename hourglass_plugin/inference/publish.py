"""A training's checkpoint to the file that is handed on."""
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

#: How far a heatmap, whose peaks are 1 high, may move by half precision,
#: in which a weight is rounded by 0.05 % at most.
TOLERANCE = 0.005


class Published(NamedTuple):
    """What was written."""

    num_bytes: int
    sha256: str
    num_weights: int
    difference: float  #: the largest one between heatmaps before and after


def publish_checkpoint(config: Config, source: str, target: str,
                       data: str) -> Published:
    """Write a checkpoint's weights in half precision, and nothing else.

    The file holds ``state_dict``, and ``meta`` with the names of the config
    and of the data and the package's version: tensors, numbers and texts. It
    is read like any checkpoint, and its weights become float32 again.

    Args:
        config: of the checkpoint, from a file, whose name is written.
        source: checkpoint of a training.
        target: file to write; it appears when it is complete and checked.
        data: what it was trained on, in words.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        ValueError: if they do not fit each other, or if half precision would
            change what the network computes; nothing is written.
    """
    check_outputs({'target': target}, [config.filename, source])
    model = build_pose_model(config, read_checkpoint(source), source, 'cpu')
    expected = _outputs(model, config)
    halved = {
        name: _half(name, tensor.detach(), source)
        for name, tensor in model.state_dict().items()
    }
    model.load_state_dict(halved)
    difference = max(
        float((after - before).abs().max())
        for before, after in zip(expected, _outputs(model, config)))
    if not difference <= TOLERANCE:
        raise ValueError(
            f'{source}: in half precision heatmaps differ by up to '
            f'{difference:.3g}, more than {TOLERANCE}; hand the float32 '
            'weights on')
    content = dict(
        meta=dict(
            config=_name(str(config.filename)),
            data=data,
            hourglass_plugin_version=__version__),
        state_dict=halved)
    # torch writes a file's name into it; so the same weights are the same
    # bytes.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    written = buffer.getvalue()
    with atomic_file(target) as partial:
        partial.write_bytes(written)
    return Published(
        len(written),
        hashlib.sha256(written).hexdigest(),
        sum(weight.numel() for weight in model.parameters()), difference)


def _half(name: str, tensor: Tensor, source: str) -> Tensor:
    """Half precision for floating point; counts stay what they are."""
    if not tensor.is_floating_point():
        return tensor.clone()
    half = tensor.to(torch.float16)
    if not torch.isfinite(half).all():
        raise ValueError(f'{source}: {name} has values that are no numbers, '
                         'or beyond the 65504 of half precision')
    return half


def _outputs(model: BaseModel, config: Config) -> list[Tensor]:
    """What the network returns for a few images of the config's size."""
    width, height = config.model.head.decoder.input_size
    generator = torch.Generator().manual_seed(0)
    # Blots of all sizes, as photographs have.
    blots = [
        torch.nn.functional.interpolate(
            torch.rand(2, 3, cells, cells, generator=generator),
            (height, width),
            mode='bilinear') for cells in (4, 16, 64)
    ]
    with torch.no_grad():
        return list(model.backbone(torch.stack(blots).mean(0)))


def _name(config_file: str) -> str:
    """A config's name below the folder of configs, else the file's."""
    path = Path(config_file).resolve()
    folder = Path(config_path()).resolve()
    if folder in path.parents:
        return path.relative_to(folder).as_posix()
    return path.name
