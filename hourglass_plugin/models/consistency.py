"""Checks that network, head, codec and data of a config fit together.

They run before the first step: training would otherwise stop in the middle of
a step or, worse, go on with wrong targets. Each error names the setting to
change.
"""
import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.utils.data import Dataset

#: Settings in ``test_cfg`` that estimator and head use.
_TEST_SETTINGS = ('eval_all_stacks', 'eval_stack', 'flip_mode', 'flip_test',
                  'output_heatmaps', 'output_keypoint_indices',
                  'shift_coords', 'shift_heatmap')

#: ``flip_shift`` of MMPose's codecs. ``MSRAHeatmap`` rounds to the nearest
#: cell: flipped back, heatmaps of the flipped image lie one cell to the left
#: of the image's. ``UDPHeatmap`` keeps exact positions, and ``MegviiHeatmap``
#: truncates, as ours.
_FLIP_SHIFTS = dict(MSRAHeatmap=True, UDPHeatmap=False, MegviiHeatmap=False)


def check_network_arguments(num_stacks: int, num_blocks: int | Sequence[int],
                            feat_channels: int | Sequence[int], depth: int,
                            num_keypoints: int | None, inner_heatmaps: int,
                            in_channels: int,
                            stem_channels: Sequence[int] | None
                            ) -> list[list[int]]:
    """Check arguments of ``StackedHourglass``, which explains them.

    Returns:
        ``num_blocks`` and ``feat_channels`` of each resolution.

    Raises:
        ValueError: if one is out of range.
    """
    counts = dict(num_stacks=num_stacks, depth=depth, in_channels=in_channels)
    if num_keypoints is not None:
        counts['num_keypoints'] = num_keypoints
    for name, value in counts.items():
        if not _are_counts([value], 1):
            raise ValueError(f'{name}={value!r} must be a positive integer')
    each_resolution: list[Any] = [[given] * (depth + 1) if isinstance(
        given, int) else given for given in (num_blocks, feat_channels)]
    for name, numbers in zip(('num_blocks', 'feat_channels'), each_resolution):
        if not _are_counts(numbers, depth + 1):
            raise ValueError(
                f'{name}={numbers!r} must be a positive integer, or one for '
                f'each of the {depth + 1} resolutions')
    if any(width % 4 for width in each_resolution[1]):
        raise ValueError(f'feat_channels={feat_channels} must be a multiple '
                         'of 4')
    if (not isinstance(inner_heatmaps, int) or not 0 <= inner_heatmaps < depth
            or (inner_heatmaps and num_keypoints is None)):
        raise ValueError(
            f'inner_heatmaps={inner_heatmaps!r} must be a whole number from 0 '
            f'to less than depth={depth}, and needs num_keypoints')
    if stem_channels is not None and not _are_counts(stem_channels, 3):
        raise ValueError(f'stem_channels={stem_channels!r} must be three '
                         'positive integers, e.g. (64, 128, 128)')
    return each_resolution


def _are_counts(values: Any, number: int) -> bool:
    """Return True for a sequence of that many positive integers."""
    return isinstance(values, (list, tuple)) and len(values) == number and all(
        isinstance(value, int) and value >= 1 for value in values)


def stack_indices(out_stacks: Sequence[int] | None,
                  num_stacks: int,
                  needs_last: bool = False) -> tuple[int, ...]:
    """Return the requested stacks, ``None`` for all, as indices from 0.

    Raises:
        ValueError: if they are not different stacks in ascending order,
            counted from 0 or from the end, or lack the last one, which
            ``needs_last`` asks for.
    """
    if out_stacks is None:
        return tuple(range(num_stacks))
    indices: tuple[int, ...] = ()
    if isinstance(out_stacks, (list, tuple)) and all(
            type(index) is int for index in out_stacks):
        indices = tuple(
            index + num_stacks if index < 0 else index for index in out_stacks)
    if (not indices or list(indices) != sorted(set(indices))
            or indices[0] < 0 or indices[-1] >= num_stacks):
        raise ValueError(
            f'out_stacks={out_stacks!r} must be different stacks in ascending '
            f'order, counted from 0 to {num_stacks - 1} or from the end, e.g. '
            '(-1, ) for the last one')
    if needs_last and indices[-1] != num_stacks - 1:
        raise ValueError(f'out_stacks={indices}: the stacks after the last of '
                         'them would never learn; add -1')
    return indices


def check_image(image: Tensor, depth: int) -> None:
    """Check that the sides of images halve evenly down to the bottom.

    Raises:
        ValueError: if it is not a batch (B, C, H, W), or the size does not
            fit an hourglass that halves it ``depth`` times.
    """
    if image.ndim != 4:
        raise ValueError('the image must be a batch (B, in_channels, H, W), '
                         f'but its shape is {tuple(image.shape)}')
    height, width = image.shape[-2:]
    if not _halve_evenly((height, width), depth):
        multiple = 4 * 2**depth
        raise ValueError(
            f'the image is {height} x {width} pixels (height x width), '
            f'but at depth {depth} each side must be a multiple of '
            f'{multiple} or one less; resize or pad it, for example to '
            f'{_round_up(height, multiple)} x {_round_up(width, multiple)}')


def _halve_evenly(sides: Sequence[int], depth: int) -> bool:
    # One pixel less passes because the stem's stride rounds up.
    return all((side + 1) % (4 * 2**depth) in (0, 1) for side in sides)


def _round_up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def check_codec(codec: Any, num_keypoints: int) -> None:
    """Raise ValueError unless a codec encodes that many heatmaps."""
    name = type(codec).__name__
    has_heatmaps = 'heatmaps' in getattr(codec, 'field_mapping_table', {})
    if not (has_heatmaps or hasattr(codec, 'draw')) or getattr(
            codec, 'heatmap_type', 'gaussian') != 'gaussian':
        raise ValueError(
            f'decoder={name} does not encode one heatmap for each keypoint; '
            f'use HourglassHeatmap, or one of {", ".join(_FLIP_SHIFTS)}')
    skeleton = getattr(codec, 'skeleton', None)
    if skeleton is not None and skeleton.num_keypoints != num_keypoints:
        raise ValueError(
            f'decoder={name} encodes {skeleton.num_keypoints} keypoints, but '
            f'the head has out_channels={num_keypoints}; use HourglassHeatmap '
            'for another skeleton')


def flip_shift(codec: Any, test_cfg: Mapping) -> bool:
    """Return whether flipped-back heatmaps must be shifted by a cell.

    Args:
        codec: with an attribute ``flip_shift``, or one of MMPose's. Any other
            needs ``shift_heatmap`` in ``test_cfg``.
        test_cfg: of the model; without ``shift_heatmap`` the codec decides.

    Raises:
        ValueError: if there is no codec, or ``shift_heatmap`` is needed or
            contradicts it.
    """
    if codec is None:
        raise ValueError('model.test_cfg has flip_test=True, which needs the '
                         'codec: set model.head.decoder=codec')
    names = [cls.__name__ for cls in type(codec).__mro__]
    known = [_FLIP_SHIFTS[name] for name in names if name in _FLIP_SHIFTS]
    shift = getattr(codec, 'flip_shift', known[0] if known else None)
    asked = test_cfg.get('shift_heatmap', shift)
    if asked is None:
        raise ValueError(
            f'{names[0]} has no flip_shift, which flip_test=True needs: set '
            'model.test_cfg.shift_heatmap, True if heatmaps of the flipped '
            'image must be shifted by a cell')
    if shift not in (None, asked):
        raise ValueError(
            f'model.test_cfg has shift_heatmap={asked}, but flipped heatmaps '
            f'of {names[0]} line up with {shift}: remove shift_heatmap, the '
            'codec decides')
    return bool(asked)


def check_model(model: nn.Module) -> None:
    """Check network, head, codec and ``test_cfg`` against each other.

    Models without :class:`MultiStageHeatmapHead` are not checked.

    Raises:
        ValueError: if two of them disagree.
    """
    from .stacked_hourglass import StackedHourglass
    head = _our_head(model)
    if head is None:
        return
    test_cfg = getattr(model, 'test_cfg', None) or {}
    for name in test_cfg:
        close = difflib.get_close_matches(name, _TEST_SETTINGS, 1, cutoff=0.65)
        if close and name not in _TEST_SETTINGS:
            raise ValueError(f'model.test_cfg has the unknown setting '
                             f'{name!r}; use {close[0]!r}')
    network = getattr(model, 'backbone', None)
    if isinstance(network, StackedHourglass):
        if getattr(model, 'neck', None) is not None:
            raise ValueError(
                f'model.neck is {type(model.neck).__name__}, but the head '
                'takes the outputs of the network: set neck=None')
        _check_network(network, head)
        if head.decoder is not None:
            _check_sizes(network.depth, head.decoder)
    if test_cfg.get('flip_test'):
        flip_shift(head.decoder, test_cfg)


def _our_head(model: nn.Module) -> Any:
    """The model's :class:`MultiStageHeatmapHead`, or None."""
    head = getattr(model, 'head', None)
    # The module needs MMPose; it is imported where there is such a head.
    module = sys.modules.get(f'{__package__}.head')
    ours = getattr(module, 'MultiStageHeatmapHead', ())
    return head if isinstance(head, ours) else None


def _check_network(network: Any, head: Any) -> None:
    """Check keypoints, channels and stacks of network and head."""
    predicted, expected = network.num_keypoints, head.out_channels
    channels, stacks = network.out_channels, len(network.out_stacks)
    if predicted is not None and head.heatmaps is not None:
        raise ValueError(
            f'the network predicts {predicted} heatmaps, and the head has '
            'convolutions to predict them from features: remove in_channels '
            'from model.head, or num_keypoints from model.backbone')
    if predicted not in (None, expected):
        raise ValueError(
            f'the network has num_keypoints={predicted}, but the head '
            f'out_channels={expected}: set both to the number of keypoints '
            'of the dataset')
    if predicted is None and head.heatmaps is None:
        raise ValueError(
            'the network returns features, and the head has no convolutions '
            'to predict heatmaps from them: set model.backbone.num_keypoints='
            f'{expected}, or model.head.in_channels={channels} and '
            f'num_stages={stacks}')
    if head.heatmaps is not None and head.heatmaps[0].in_channels != channels:
        raise ValueError(
            f'the head has in_channels={head.heatmaps[0].in_channels}, but '
            f'the network returns {channels}: set model.head.in_channels='
            f'{channels}')
    if head.num_stages not in (None, stacks):
        raise ValueError(
            f'the network returns {stacks} stacks, but the head has '
            f'num_stages={head.num_stages} (or as many loss_weights): set '
            f'model.head.num_stages={stacks}, or model.backbone.num_stacks')


def _check_sizes(depth: int, codec: Any) -> None:
    """Check the sizes of image and heatmaps."""
    width, height = codec.input_size
    if not _halve_evenly((width, height), depth):
        multiple = 4 * 2**depth
        raise ValueError(
            f'the codec has input_size=({width}, {height}), but at depth='
            f'{depth} sides must be multiples of {multiple}: set input_size='
            f'({_round_up(width, multiple)}, {_round_up(height, multiple)})')
    expected = (_round_up(width, 4) // 4, _round_up(height, 4) // 4)
    if tuple(codec.heatmap_size) != expected:
        raise ValueError(
            f'the codec has heatmap_size={tuple(codec.heatmap_size)}, but a '
            f'quarter of the input is needed: set heatmap_size={expected}')


def check_data(dataset: Dataset, model: nn.Module, phase: str) -> None:
    """Check a dataset and its transforms against a model.

    Args:
        dataset: one of MMPose's or ours, or a wrapper of such.
        model: MMPose's, with ``head``.
        phase: ``train``, ``val`` or ``test``, for the message.

    Raises:
        ValueError: if they disagree.
    """
    head = _our_head(model)
    if head is None:
        return
    where = f'{phase}_dataloader.dataset'
    count = (getattr(dataset, 'metainfo', None) or {}).get('num_keypoints')
    if count not in (None, head.out_channels):
        raise ValueError(
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
            if None not in (theirs, ours) and np.any(
                    np.not_equal(theirs, ours)):
                raise ValueError(
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
    if config.get('default_scope') == 'mmdet':
        raise ValueError(
            "the config's model predicts boxes, and this is for poses: "
            'tools/train.py and tools/test.py --show-dir are for both, and '
            "MMDetection's own tools and DetInferencer take the config, too")


def check_can_be_fast(config: Mapping) -> None:
    """Raise ValueError if a config's network cannot be rewritten."""
    network = (config['model'].get('backbone') or {}).get('type')
    if network != 'StackedHourglass':
        raise ValueError('--fast is for a StackedHourglass, but the config '
                         f'has the backbone {network}')
