"""Published checkpoint files to mmengine's, with the config that fits."""
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config

from ... import __version__
from ...atomic_files import atomic_file, check_outputs
from ...resources import config_path
from ..stacked_hourglass import StackedHourglass
from .key_maps import Layout, read_arguments, rename_weights, unwrap
from .loading import check_weights, read_checkpoint


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
        source: file of a port, see :mod:`.key_maps`.
        target: file to write, with ``meta`` and ``state_dict``. It appears
            when it is complete.

    Raises:
        FileNotFoundError: if there is no such source.
        ValueError: if the source is not a stacked hourglass of a known port
            with all of its tensors; nothing is written.
    """
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


def matching_config(layout: Layout, arguments: dict) -> tuple[str, list[str]]:
    """Return a config for a network's arguments, and options to fit it.

    Returns:
        A config of MPII for its 16 keypoints, else the example of a custom
        dataset, below ``configs/``; and ``key=value`` for ``--cfg-options``.
    """
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
