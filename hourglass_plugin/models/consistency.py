"""Checks that network, head, codec and data of a config fit together.

They run before the first step, and each error names the setting to change.
"""
import difflib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch import nn
from torch.utils.data import Dataset

from .network_checks import refuse, sides_that_fit
from .stacked_hourglass import StackedHourglass

#: Settings in ``test_cfg`` that estimator and head use.
_TEST_SETTINGS = ('eval_all_stacks', 'eval_stack', 'flip_mode', 'flip_test',
                  'output_heatmaps', 'output_keypoint_indices',
                  'shift_coords', 'shift_heatmap')

#: ``flip_shift`` of MMPose's codecs. ``MSRAHeatmap`` rounds to the nearest
#: cell: flipped back, heatmaps of the flipped image lie one cell to the left
#: of the image's. ``UDPHeatmap`` keeps exact positions, and ``MegviiHeatmap``
#: truncates, as ours.
_FLIP_SHIFTS = dict(MSRAHeatmap=True, UDPHeatmap=False, MegviiHeatmap=False)


def check_codec(codec: Any, num_keypoints: int) -> None:
    """Raise ValueError unless a codec encodes that many heatmaps."""
    name = type(codec).__name__
    has_heatmaps = hasattr(codec, 'draw') or 'heatmaps' in getattr(
        codec, 'field_mapping_table', {})
    refuse(not has_heatmaps or getattr(codec, 'heatmap_type',
                                       'gaussian') != 'gaussian',
           f'decoder={name} does not encode one heatmap for each keypoint; '
           f'use HourglassHeatmap, or one of {", ".join(_FLIP_SHIFTS)}')
    skeleton = getattr(codec, 'skeleton', None)
    count = num_keypoints if skeleton is None else skeleton.num_keypoints
    refuse(count != num_keypoints,
           f'decoder={name} has {count} keypoints, but the head out_channels='
           f'{num_keypoints}; use HourglassHeatmap for other skeletons')


def flip_shift(codec: Any, test_cfg: Mapping) -> bool:
    """Return whether flipped-back heatmaps must be shifted by a cell.

    A codec with the attribute ``flip_shift``, or one of MMPose's, decides;
    any other needs ``shift_heatmap`` in the model's ``test_cfg``.

    Raises:
        ValueError: if there is no codec, or ``shift_heatmap`` is needed or
            contradicts it.
    """
    refuse(codec is None, 'model.test_cfg has flip_test=True, which needs '
           'the codec: set model.head.decoder=codec')
    names = [cls.__name__ for cls in type(codec).__mro__]
    known = [_FLIP_SHIFTS[name] for name in names if name in _FLIP_SHIFTS]
    shift = getattr(codec, 'flip_shift', known[0] if known else None)
    asked = test_cfg.get('shift_heatmap', shift)
    refuse(asked is None,
           f'{names[0]} has no flip_shift: set model.test_cfg.shift_heatmap, '
           'True if heatmaps of the flipped image must be shifted by a cell')
    refuse(shift not in (None, asked),
           f'model.test_cfg has shift_heatmap={asked}, but {names[0]} needs '
           f'{shift}: remove shift_heatmap, the codec decides')
    return bool(asked)


def check_model(model: nn.Module) -> None:
    """Check network, head, codec and ``test_cfg`` against each other.

    Models without :class:`MultiStageHeatmapHead` are not checked.

    Raises:
        ValueError: if two of them disagree.
    """
    head = _our_head(model)
    if head is None:
        return
    test_cfg = getattr(model, 'test_cfg', None) or {}
    for name in test_cfg:
        close = difflib.get_close_matches(name, _TEST_SETTINGS, 1, cutoff=0.65)
        refuse(bool(close) and name not in _TEST_SETTINGS,
               f'model.test_cfg has the unknown setting {name!r}; use '
               f'{", ".join(close)}')
    network = getattr(model, 'backbone', None)
    if isinstance(network, StackedHourglass):
        neck = getattr(model, 'neck', None)
        refuse(neck is not None,
               f'model.neck is {type(neck).__name__}, but the head takes the '
               'outputs of the network: set neck=None')
        _check_network(network, head)
        if head.decoder is not None:
            _check_sizes(network.depth, head.decoder)
    if test_cfg.get('flip_test'):
        flip_shift(head.decoder, test_cfg)


def _our_head(model: nn.Module) -> Any:
    """Return the model's :class:`MultiStageHeatmapHead`, or None."""
    head = getattr(model, 'head', None)
    # The module needs MMPose; it is imported where there is such a head.
    module = sys.modules.get(f'{__package__}.head')
    return head if isinstance(
        head, getattr(module, 'MultiStageHeatmapHead', ())) else None


def _check_network(network: Any, head: Any) -> None:
    """Check keypoints, channels and stacks of network and head."""
    predicted, expected = network.num_keypoints, head.out_channels
    channels, stacks = network.out_channels, len(network.out_stacks)
    own = None if head.heatmaps is None else head.heatmaps[0].in_channels
    refuse(predicted is not None and own is not None,
           'both network and head predict heatmaps: remove in_channels from '
           'model.head, or num_keypoints from model.backbone')
    refuse(predicted not in (None, expected),
           f'model.backbone has num_keypoints={predicted}, but model.head '
           f"out_channels={expected}: set both to the dataset's number")
    refuse(predicted is None and own is None,
           'neither network nor head predicts heatmaps: set model.backbone.'
           f'num_keypoints={expected}, or model.head.in_channels={channels} '
           f'and num_stages={stacks}')
    refuse(own not in (None, channels),
           f'the head has in_channels={own}, but the network returns '
           f'{channels}: set model.head.in_channels={channels}')
    refuse(head.num_stages not in (None, stacks),
           f'the head has num_stages={head.num_stages} (or as many '
           f'loss_weights), but the network returns {stacks} stacks: set '
           f'model.head.num_stages={stacks}, or model.backbone.num_stacks')


def _check_sizes(depth: int, codec: Any) -> None:
    """Check the sizes of image and heatmaps."""
    size = tuple(codec.input_size)
    fit = sides_that_fit(size, depth)
    refuse(size != fit,
           f'the codec has input_size={size}, but at depth={depth} sides '
           f'must be multiples of {4 * 2**depth}: set input_size={fit}')
    quarter = tuple(-(-side // 4) for side in size)
    refuse(tuple(codec.heatmap_size) != quarter,
           f'the codec has heatmap_size={tuple(codec.heatmap_size)}, but a '
           f'quarter of the input is needed: set heatmap_size={quarter}')


def needs_two_samples(model: nn.Module) -> bool:
    """Return True if batch norm sees one pixel of each image in training.

    As at 64 x 64 pixels and depth 4; one number has no variance.
    """
    network, head = getattr(model, 'backbone', None), _our_head(model)
    if not isinstance(network, StackedHourglass) or (
            getattr(head, 'decoder', None) is None):
        return False
    return max(head.decoder.heatmap_size) <= 2**network.depth and any(
        isinstance(module, nn.BatchNorm2d) for module in network.modules())


def check_data(dataset: Dataset, model: nn.Module, phase: str) -> None:
    """Check a dataset, or a wrapper of some, and its transforms.

    Raises:
        ValueError: if they and the model disagree; it names the ``phase``,
            ``train``, ``val`` or ``test``.
    """
    head = _our_head(model)
    if head is None:
        return
    where = f'{phase}_dataloader.dataset'
    count = (getattr(dataset, 'metainfo', None) or {}).get('num_keypoints')
    refuse(count not in (None, head.out_channels),
           f'{where} has {count} keypoints, but model.head.out_channels is '
           f'{head.out_channels}: set both and backbone.num_keypoints equal')
    for transform in _transforms(dataset):
        encoder = getattr(transform, 'encoder', None)
        # The codec that encodes targets must be the one that decodes them.
        for part, name in ((transform, 'input_size'), (encoder, 'input_size'),
                           (encoder, 'heatmap_size'), (encoder, 'sigma'),
                           (encoder, 'exact_centers')):
            theirs: Any = getattr(part, name, None)
            ours: Any = getattr(head.decoder, name, None)
            refuse(None not in (theirs, ours)
                   and bool(np.any(np.not_equal(theirs, ours))),
                   f'{type(transform).__name__} in {where} has {name}='
                   f'{theirs}, but model.head.decoder {name}={ours}: give '
                   'all transforms and the head the same codec')


def _transforms(dataset: Any) -> Iterator[Any]:
    """All transforms of a dataset and, if it is a wrapper, of its parts."""
    pipeline = getattr(dataset, 'pipeline', None)
    yield from getattr(pipeline, 'transforms', None) or ()
    inner = getattr(dataset, 'dataset', None)
    for part in (*(getattr(dataset, 'datasets', None) or ()),
                 *((inner, ) if isinstance(inner, Dataset) else ())):
        yield from _transforms(part)


def check_predicts_poses(config: Mapping) -> None:
    """Raise ValueError if a config is a detector's."""
    refuse(config.get('default_scope') == 'mmdet',
           "the config's model predicts boxes, not poses: use tools/train.py,"
           " tools/test.py, or MMDetection's own tools and DetInferencer")
