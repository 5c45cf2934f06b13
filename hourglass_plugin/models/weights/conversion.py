"""Published checkpoint files to mmengine's, with the config that fits."""
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Optional

import torch
from mmengine.config import Config

from ... import __version__
from ...atomic_files import atomic_file, check_outputs
from ...resources import config_path
from ..stacked_hourglass import StackedHourglass
from .key_maps import Layout, read_arguments
from .loading import describe_unused, load_pretrained, read_checkpoint
from .state_dicts import convert


class MatchingConfig(NamedTuple):
    """A config of ours and what is to be changed in it."""

    name: str  #: below ``configs/``
    options: list[str]  #: for ``--cfg-options``
    is_example: bool  #: to be copied, and given the names of the keypoints


class Conversion(NamedTuple):
    """What was converted, in words and numbers."""

    layout: str
    arguments: dict  #: of ``StackedHourglass``
    num_weights: int
    remarks: list[str]  #: what was dropped, and what starts anew
    config: MatchingConfig


def convert_checkpoint(source: str,
                       target: str,
                       num_keypoints: Optional[int] = None) -> Conversion:
    """Write a published port's weights as a checkpoint of mmengine.

    Args:
        source: file of the port, see
            :mod:`hourglass_plugin.models.layouts`.
        target: file to write; it appears when it is complete, and holds
            ``meta`` and ``state_dict``, plain tensors, no code.
        num_keypoints: build the network for so many keypoints instead of
            those of the weights. The convolutions that predict heatmaps and
            feed them back start anew (as they do with seed 0), and what
            remains is a start for training.

    Raises:
        FileNotFoundError: if there is no such source.
        ValueError: if the source is not a stacked hourglass of a known port,
            or lacks or has tensors that it should not; nothing is written.
    """
    check_outputs({'target': target}, [source])
    checkpoint = read_checkpoint(source)
    try:
        weights, layout, _, unused = convert(checkpoint)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    if layout.mean is None:
        raise ValueError(f'{source} has the names of this package already: '
                         'use it as it is')
    arguments = read_arguments(weights)
    remarks = [describe_unused(unused)] if unused else []
    if num_keypoints not in (None, arguments['num_keypoints']):
        arguments['num_keypoints'] = num_keypoints
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = StackedHourglass(**arguments)
        remarks = load_pretrained(network, checkpoint)[1:]
        weights = network.state_dict()
    config = matching_config(layout, arguments)
    content = dict(
        meta=dict(
            hourglass_plugin_version=__version__,
            converted_from=layout.name,
            config=config.name),
        state_dict={
            f'backbone.{name}': tensor
            for name, tensor in weights.items()
        })
    with atomic_file(target) as partial:
        torch.save(content, partial)
    with torch.device('meta'):
        network = StackedHourglass(**arguments)
    num_weights = sum(weight.numel() for weight in network.parameters())
    return Conversion(layout.name, arguments, num_weights, remarks, config)


def matching_config(layout: Layout, arguments: Mapping) -> MatchingConfig:
    """The config whose network and preprocessing are those of the weights.

    Args:
        layout: of the port, whose preprocessing counts.
        arguments: of ``StackedHourglass``.

    Returns:
        A config of MPII for its 16 keypoints, else the example of keypoints
        of one's own, and options for what no config has.
    """
    is_mpii = arguments['num_keypoints'] == 16
    name = 'custom_dataset/td-hm_hg2_1xb16-100e_custom-256x256.py'
    if is_mpii:
        port = '-bearpaw' if any(layout.mean or ()) else ''
        for num_stacks in (arguments['num_stacks'], 2):
            name = ('body_2d_keypoint/topdown_heatmap/mpii/'
                    f'td-hm_hg{num_stacks}{port}_1xb6-220e_mpii-256x256.py')
            if (Path(config_path()) / name).is_file():
                break
    config = Config.fromfile(config_path(name))
    network = {
        key: value
        for key, value in config.model.backbone.items() if key != 'type'
    }
    with torch.device('meta'):
        present = read_arguments(StackedHourglass(**network).state_dict())
    options = [
        f'model.backbone.{key}={_option(value)}'
        for key, value in arguments.items()
        if value != present[key] and key != 'num_keypoints'
    ]
    mean = [round(255 * value, 4) for value in layout.mean or (0.0, ) * 3]
    if list(config.model.data_preprocessor.mean) != mean:
        options.append(f'model.data_preprocessor.mean={_option(mean)}')
    return MatchingConfig(name, options, not is_mpii)


def _option(value: object) -> str:
    """A value as ``--cfg-options`` reads it; lists without blanks."""
    if isinstance(value, (list, tuple)):
        return f'"[{",".join(map(str, value))}]"'
    return str(value)
