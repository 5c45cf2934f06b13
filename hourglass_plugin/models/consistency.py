"""Checks that network, head, codec and data of a config fit together.

They run before the first step, and each error names the setting to change.
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
    """
    for name, value in dict(
            num_stacks=num_stacks, depth=depth, in_channels=in_channels,
            num_keypoints=1 if num_keypoints is None else num_keypoints
            ).items():
        _refuse(not _are_counts([value], 1),
                f'{name}={value!r} must be a positive integer')
    blocks, widths = ([given] * (depth + 1) if isinstance(given, int) else
                      given for given in (num_blocks, feat_channels))
    for name, numbers in (('num_blocks', blocks), ('feat_channels', widths)):
        _refuse(not _are_counts(numbers, depth + 1),
                f'{name}={numbers!r} must be a positive integer, or one for '
                f'each of the {depth + 1} resolutions')
    _refuse(any(width % 4 for width in widths),
            f'feat_channels={feat_channels} must be a multiple of 4')
    _refuse(
        not isinstance(inner_heatmaps, int) or not 0 <= inner_heatmaps < depth
        or (inner_heatmaps > 0 and num_keypoints is None),
        f'inner_heatmaps={inner_heatmaps!r} must be a whole number from 0 to '
        f'less than depth={depth}, and needs num_keypoints')
    _refuse(stem_channels is not None and not _are_counts(stem_channels, 3),
            f'stem_channels={stem_channels!r} must be three positive '
            'integers, e.g. (64, 128, 128)')
    return [list(blocks), list(widths)]


def _refuse(is_wrong: bool, message: str) -> None:
    """Raise ValueError with a message if something is wrong."""
    if is_wrong:
        raise ValueError(message)


def _are_counts(values: Any, number: int) -> bool:
    """Return True for a sequence of that many positive integers."""
    return isinstance(values, (list, tuple)) and len(values) == number and all(
        isinstance(value, int) and value >= 1 for value in values)


def stack_indices(out_stacks: Sequence[int] | None,
                  num_stacks: int) -> tuple[int, ...]:
    """Return the requested stacks, ``None`` for all, as indices from 0.

    Raises:
        ValueError: if they are not different stacks in ascending order,
            counted from 0 or from the end, with the last one.
    """
    if out_stacks is None:
        return tuple(range(num_stacks))
    try:
        indices = tuple(range(num_stacks)[index] for index in out_stacks)
    except (TypeError, IndexError):
        indices = ()
    _refuse(
        list(indices) != sorted(set(indices)) or num_stacks - 1 not in indices,
        f'out_stacks={out_stacks!r} must be different stacks in ascending '
        f'order, from 0 to {num_stacks - 1} or negative; the last one among '
        'them, or it would never learn')
    return indices


def check_image(image: Tensor, depth: int) -> None:
    """Check that the sides of images halve evenly down to the bottom.

    Raises:
        ValueError: if it is not a batch (B, C, H, W), or the size does not
            fit an hourglass that halves it ``depth`` times.
    """
    # Not by _refuse: texts of sizes would fix them in an exported network.
    if image.ndim != 4:
        raise ValueError(f'the image is {tuple(image.shape)}, and must be a '
                         'batch (B, in_channels, H, W)')
    height, width = image.shape[-2:]
    fit = _sides_that_fit((height, width), depth)
    if fit != (height, width):
        raise ValueError(
            f'the image has {height} x {width} pixels (height x width), but '
            f'depth {depth} needs multiples of {4 * 2**depth}, or one less; '
            f'resize or pad it, for example to {fit[0]} x {fit[1]}')


def _sides_that_fit(sides: Sequence[int], depth: int) -> tuple[int, ...]:
    """Return sides, or the next multiple where one does not halve evenly."""
    multiple = 4 * 2**depth
    # One pixel less passes because the stem's stride rounds up.
    return tuple(
        side if (side + 1) % multiple in (0, 1) else -(-side // multiple) *
        multiple for side in sides)


def check_codec(codec: Any, num_keypoints: int) -> None:
    """Raise ValueError unless a codec encodes that many heatmaps."""
    name = type(codec).__name__
    has_heatmaps = hasattr(codec, 'draw') or 'heatmaps' in getattr(
        codec, 'field_mapping_table', {})
    _refuse(not has_heatmaps or getattr(codec, 'heatmap_type',
                                        'gaussian') != 'gaussian',
            f'decoder={name} does not encode one heatmap for each keypoint; '
            f'use HourglassHeatmap, or one of {", ".join(_FLIP_SHIFTS)}')
    skeleton = getattr(codec, 'skeleton', None)
    count = num_keypoints if skeleton is None else skeleton.num_keypoints
    _refuse(count != num_keypoints,
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
    _refuse(codec is None, 'model.test_cfg has flip_test=True, which needs '
            'the codec: set model.head.decoder=codec')
    names = [cls.__name__ for cls in type(codec).__mro__]
    known = [_FLIP_SHIFTS[name] for name in names if name in _FLIP_SHIFTS]
    shift = getattr(codec, 'flip_shift', known[0] if known else None)
    asked = test_cfg.get('shift_heatmap', shift)
    _refuse(asked is None,
            f'{names[0]} has no flip_shift: set model.test_cfg.shift_heatmap, '
            'True if heatmaps of the flipped image must be shifted by a cell')
    _refuse(shift not in (None, asked),
            f'model.test_cfg has shift_heatmap={asked}, but {names[0]} needs '
            f'{shift}: remove shift_heatmap, the codec decides')
    return bool(asked)


def without_wrapper(model: nn.Module) -> nn.Module:
    """Return a model that may be wrapped for several processes."""
    from mmengine.model import is_model_wrapper  # as in init_weights
    return model.get_submodule('module') if is_model_wrapper(model) else model


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
        _refuse(bool(close) and name not in _TEST_SETTINGS,
                f'model.test_cfg has the unknown setting {name!r}; use '
                f'{", ".join(close)}')
    network = getattr(model, 'backbone', None)
    if isinstance(network, StackedHourglass):
        neck = getattr(model, 'neck', None)
        _refuse(neck is not None,
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
    _refuse(predicted is not None and own is not None,
            'both network and head predict heatmaps: remove in_channels from '
            'model.head, or num_keypoints from model.backbone')
    _refuse(predicted not in (None, expected),
            f'model.backbone has num_keypoints={predicted}, but model.head '
            f"out_channels={expected}: set both to the dataset's number")
    _refuse(predicted is None and own is None,
            'neither network nor head predicts heatmaps: set model.backbone.'
            f'num_keypoints={expected}, or model.head.in_channels={channels} '
            f'and num_stages={stacks}')
    _refuse(own not in (None, channels),
            f'the head has in_channels={own}, but the network returns '
            f'{channels}: set model.head.in_channels={channels}')
    _refuse(head.num_stages not in (None, stacks),
            f'the head has num_stages={head.num_stages} (or as many '
            f'loss_weights), but the network returns {stacks} stacks: set '
            f'model.head.num_stages={stacks}, or model.backbone.num_stacks')


def _check_sizes(depth: int, codec: Any) -> None:
    """Check the sizes of image and heatmaps."""
    size = tuple(codec.input_size)
    fit = _sides_that_fit(size, depth)
    _refuse(size != fit,
            f'the codec has input_size={size}, but at depth={depth} sides '
            f'must be multiples of {4 * 2**depth}: set input_size={fit}')
    quarter = tuple(-(-side // 4) for side in size)
    _refuse(tuple(codec.heatmap_size) != quarter,
            f'the codec has heatmap_size={tuple(codec.heatmap_size)}, but a '
            f'quarter of the input is needed: set heatmap_size={quarter}')


def needs_two_samples(model: nn.Module) -> bool:
    """Return True if batch norm sees one pixel of each image in training.

    As at 64 x 64 pixels and depth 4; one number has no variance.
    """
    from .stacked_hourglass import StackedHourglass
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
    _refuse(count not in (None, head.out_channels),
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
            _refuse(None not in (theirs, ours)
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
    _refuse(config.get('default_scope') == 'mmdet',
            "the config's model predicts boxes, not poses: use tools/train.py,"
            " tools/test.py, or MMDetection's own tools and DetInferencer")
