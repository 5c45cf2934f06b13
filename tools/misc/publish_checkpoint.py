#!/usr/bin/env python
"""Strip a checkpoint for sharing (fp16, weights only).

Of a pose model. Writes the weights in half precision with the names of config
and data, as plain tensors and texts, which torch.load reads with
weights_only=True and all tools read as any checkpoint. Nothing is written if
the network would compute anything else with them. Prints the SHA-256 for the
model card.
"""
import argparse
import hashlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import arguments, errors

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor
    from torch.nn import Module

#: Largest change of a heatmap, whose peaks are 1 high; half precision rounds
#: a weight by 0.05 % at most.
TOLERANCE = 0.005


class Published(NamedTuple):
    """Facts about a written file."""

    num_bytes: int
    sha256: str
    num_weights: int
    difference: float  #: the largest one between heatmaps before and after


def publish_checkpoint(config: 'Config', source: str, target: str,
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
    import torch

    from hourglass_plugin import __version__
    from hourglass_plugin.atomic_files import atomic_file, check_outputs
    from hourglass_plugin.inference.pose_model import build_pose_model
    from hourglass_plugin.models.weights.loading import read_checkpoint
    check_outputs({'target': target}, [config.filename, source])
    model = build_pose_model(config, read_checkpoint(source), source, 'cpu')
    weights = model.state_dict()
    expected = _outputs(model, config)
    halved = {
        name: tensor.half() if tensor.is_floating_point() else tensor.clone()
        for name, tensor in weights.items()
    }
    for name, tensor in halved.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f'{source}: {name} has values beyond 65504, the '
                             'largest in half precision: share it as it is')
    model.load_state_dict(halved)
    difference = max(
        float((after - before).abs().max())
        for before, after in zip(expected, _outputs(model, config)))
    if not difference <= TOLERANCE:
        raise ValueError(f'{source}: in half precision heatmaps differ by '
                         f'{difference:.3g}, more than {TOLERANCE}: share it '
                         'as it is')
    meta = dict(
        config=Path(str(config.filename)).name,  # ours are unique
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


def _outputs(model: 'Module', config: 'Config') -> list['Tensor']:
    """Return the network's heatmaps for images of the config's size."""
    import torch
    import torch.nn.functional as F
    width, height = config.model.head.decoder.input_size
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(2, 3, height // 16, width // 16, generator=generator)
    # Structures of some pixels, as images have.
    images = F.interpolate(noise, (height, width), mode='bilinear')
    with torch.no_grad():
        return list(model.backbone(images))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--data', required=True, help='name of the training data')


def main(args: argparse.Namespace) -> None:
    """Write the file and print what is in it."""
    with errors.setting_up():
        from hourglass_plugin.cli.configs import load_config
        done = publish_checkpoint(
            load_config(args.config), args.checkpoint, args.target, args.data)
    print(f'{args.target}: {done.num_weights:,} parameters, '
          f'{done.num_bytes / 1e6:.2f} MB; heatmaps differ from those of '
          f'{args.checkpoint} by {done.difference:.2g} at most')
    print(f'SHA-256: {done.sha256}')


if __name__ == '__main__':
    errors.run_command(sys.modules[__name__])
