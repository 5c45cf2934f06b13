#!/usr/bin/env python
"""Convert published PyTorch weights of the stacked hourglass for mmengine.

Reads files of the ports by bearpaw (W. Yang), anibali and Princeton, finds
out which one it is, how many stacks, residual modules and keypoints it has,
and writes a checkpoint for tools/test.py and tools/predict.py. Prints the
config that fits. Every tensor must find its place, or nothing is written.
"""
import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import errors

if TYPE_CHECKING:
    from hourglass_plugin.models.weights.key_maps import Layout


class Conversion(NamedTuple):
    """Facts about a converted checkpoint."""

    layout: str
    arguments: dict  #: of ``StackedHourglass``
    num_weights: int
    remarks: list[str]
    config: str  #: with this network and preprocessing, below ``configs/``
    options: list[str]  #: for ``--cfg-options``, where the config differs


def convert_checkpoint(source: str, target: str) -> Conversion:
    """Write a published port's weights as a checkpoint of mmengine.

    For another number of keypoints, or a detector, give the port's file to
    ``StackedHourglass`` by ``init_cfg=dict(type='Pretrained', ...)`` instead.

    Args:
        source: file of a port, see ``hourglass_plugin.models.weights``.
        target: file to write, with ``meta`` and ``state_dict``. It appears
            when it is complete.

    Raises:
        FileNotFoundError: if there is no such source.
        ValueError: if the source is not a stacked hourglass of a known port
            with all of its tensors; nothing is written.
    """
    import torch

    from hourglass_plugin import __version__
    from hourglass_plugin.atomic_files import atomic_file, check_outputs
    from hourglass_plugin.models.stacked_hourglass import StackedHourglass
    from hourglass_plugin.models.weights.key_maps import (
        read_arguments,
        rename_weights,
        unwrap,
    )
    from hourglass_plugin.models.weights.loading import (
        check_weights,
        read_checkpoint,
    )
    check_outputs({'target': target}, [source])
    checkpoint = read_checkpoint(source)
    try:
        weights, layout, sources, remarks = rename_weights(unwrap(checkpoint))
        arguments = read_arguments(weights)
        with torch.device('meta'):  # a network that has no memory
            network = StackedHourglass(**arguments)
        check_weights(weights, network.state_dict(), sources)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    if layout.mean is None:
        raise ValueError(f'{source} has the names of this package already: '
                         'use it as it is')
    config, options = matching_config(layout, arguments)
    content = dict(
        meta=dict(
            hourglass_plugin_version=__version__,
            converted_from=layout.name,
            config=config),
        state_dict={f'backbone.{name}': weights[name] for name in weights})
    with atomic_file(target) as partial:
        torch.save(content, partial)
    num_weights = sum(weight.numel() for weight in network.parameters())
    return Conversion(layout.name, arguments, num_weights, remarks, config,
                      options)


def matching_config(layout: 'Layout',
                    arguments: dict) -> tuple[str, list[str]]:
    """Return a config for a network's arguments, and options to fit it.

    Returns:
        A config of MPII for its 16 keypoints, else the example of a custom
        dataset, below ``configs/``; and ``key=value`` for ``--cfg-options``.
    """
    import torch
    from mmengine.config import Config

    from hourglass_plugin.models.stacked_hourglass import StackedHourglass
    from hourglass_plugin.models.weights.key_maps import read_arguments
    from hourglass_plugin.resources import config_path
    name = 'custom_dataset/td-hm_hg2_1xb16-100e_custom-256x256.py'
    if arguments['num_keypoints'] == 16:
        port = '-bearpaw' if any(layout.mean or ()) else ''
        for num_stacks in (arguments['num_stacks'], 2):
            name = ('body_2d_keypoint/topdown_heatmap/mpii/'
                    f'td-hm_hg{num_stacks}{port}_1xb6-220e_mpii-256x256.py')
            if Path(config_path(), name).is_file():
                break
    model = Config.fromfile(config_path(name)).model
    network = {key: model.backbone[key] for key in model.backbone}
    del network['type']
    with torch.device('meta'):
        present = read_arguments(StackedHourglass(**network).state_dict())
    changes = {f'model.backbone.{key}': value
               for key, value in arguments.items()
               if value != present[key] and key != 'num_keypoints'}
    mean = [round(255 * value, 4) for value in layout.mean or (0.0, ) * 3]
    if list(model.data_preprocessor.mean) != mean:
        changes['model.data_preprocessor.mean'] = mean
    return name, [f'{key}={_option(value)}' for key, value in changes.items()]


def _option(value: object) -> str:
    """Format a value for ``--cfg-options``: lists without blanks."""
    if isinstance(value, (list, tuple)):
        return f'"[{",".join(map(str, value))}]"'
    return str(value)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('source', help='checkpoint of a published port')
    parser.add_argument('target', help='file to write')


def main(args: argparse.Namespace) -> None:
    """Convert the file and print how to use it."""
    with errors.setting_up():
        done = convert_checkpoint(args.source, args.target)
    network = done.arguments
    num_keypoints = network['num_keypoints']
    print(f'{args.source}: {done.layout}, {network["num_stacks"]} stacks of '
          f'{network["num_blocks"]} residual modules, '
          f'{num_keypoints or "no"} keypoints')
    for remark in done.remarks:
        print(remark)
    print(f'{args.target}: {done.num_weights:,} parameters written')
    config = f'configs/{done.config}'
    if num_keypoints != 16:
        print(f'It fits a copy of {config} in which you name the keypoints '
              '(docs/custom_dataset.md):')
        config = 'configs/custom_dataset/my_keypoints.py'
    else:
        print(f'It fits {config}:')
    options = ' '.join(['', '--cfg-options', *done.options])
    if num_keypoints is None:
        print(f'    python tools/train.py {config}{options} '
              f'load_from={args.target}')
        return
    options = options if done.options else ''
    print(f'    python tools/test.py {config} {args.target}{options}\n'
          f'    python tools/predict.py photo.jpg {config} {args.target}'
          f'{options}')


if __name__ == '__main__':
    errors.run_command(sys.modules[__name__])
