"""Weights of published PyTorch ports under our names.

Pure functions from state dict to state dict. Known layouts, by the names of
their tensors:

- W. Yang's port and its descendants (``conv1``, ``hg.0.hg.3.0.0``,
  ``score.0``, ...);
- Princeton's own port (``pre.0.conv``, ``hgs.0.0.low2.up1``, ``outs.0.conv``,
  ...), whose residual modules hold a skip convolution even where the channels
  match and nothing uses it;
- ours.
"""
import logging
import re
from typing import Callable, Dict, List, Mapping, Optional, Tuple

import torch
from torch import Tensor

from .stacked_hourglass import StackedHourglass

logger = logging.getLogger('hourglass_plugin')

_YANG_PLACES = ('skip', 'down', 'up', 'inner')
_PRINCETON_PLACES = {
    'up1': 'skip',
    'low1': 'down',
    'low2': 'inner',
    'low3': 'up'
}


def convert_state_dict(state_dict: Mapping) -> Dict[str, Tensor]:
    """Rename a published port's weights to those of :class:`StackedHourglass`.

    A ``state_dict`` entry around the weights and prefixes ``module.`` and
    ``model.`` are taken off. Tensors that the port never uses are dropped and
    named in the log. Every other tensor must find its place.

    Args:
        state_dict: what the checkpoint holds.

    Returns:
        A state dict that ``StackedHourglass(**read_arguments(it))`` loads
        with ``strict=True``. The tensors are the given ones, not copies.

    Raises:
        ValueError: if the layout is unknown, or tensors are missing, left
            over or of another shape; names them.
    """
    weights = _unwrap(state_dict)
    layout, rename = _layout(weights)
    converted: Dict[str, Tensor] = {}
    unknown = []
    for name, tensor in weights.items():
        ours = rename(name)
        if ours is None:
            unknown.append(name)
        else:
            converted[ours] = tensor
    _raise_if(unknown, f'unknown to the layout of {layout}')
    unused = _drop_unused_skips(converted)
    if unused:
        logger.info('dropped %d tensors that the network never uses: %s',
                    len(unused), ', '.join(unused))
    _check_complete(converted)
    return converted


def read_arguments(state_dict: Mapping[str, Tensor]) -> dict:
    """Arguments of the :class:`StackedHourglass` that fits the weights.

    Args:
        state_dict: weights under our names.

    Returns:
        ``num_stacks``, ``num_blocks``, ``feat_channels``, ``depth``,
        ``num_keypoints``, ``inner_heatmaps``, ``in_channels`` and
        ``stem_channels``.
    """

    def count(pattern: str) -> int:
        numbers = [
            int(found[1]) for found in (re.match(pattern, name)
                                        for name in state_dict) if found
        ]
        return max(numbers, default=-1) + 1

    def channels(name: str) -> int:
        tensor = state_dict.get(f'{name}.weight')
        if tensor is None:
            raise ValueError(f'the weights lack {name}.weight')
        return tensor.shape[0]

    heatmaps = state_dict.get('stacks.0.heatmaps.weight')
    return dict(
        num_stacks=count(r'stacks\.(\d+)\.'),
        num_blocks=count(r'stacks\.0\.hourglass\.skip\.(\d+)\.'),
        feat_channels=channels('stem.residual3.conv3'),
        depth=max((name.count('inner.') for name in state_dict), default=0),
        num_keypoints=None if heatmaps is None else heatmaps.shape[0],
        inner_heatmaps=count(r'stacks\.0\.inner_heatmaps\.(\d+)\.'),
        in_channels=state_dict['stem.conv.weight'].shape[1],
        stem_channels=(channels('stem.conv'),
                       channels('stem.residual1.conv3'),
                       channels('stem.residual2.conv3')))


def _unwrap(state_dict: Mapping) -> Dict[str, Tensor]:
    """The weights alone, without wrappers and prefixes."""
    for key in ('state_dict', 'model_state_dict'):
        if isinstance(state_dict.get(key), Mapping):
            state_dict = state_dict[key]
    weights = {
        re.sub(r'^(module\.|model\.|backbone\.)+', '', str(name)): tensor
        for name, tensor in state_dict.items()
    }
    wrong = [
        name for name, tensor in weights.items()
        if not isinstance(tensor, Tensor)
    ]
    _raise_if(wrong, 'no tensors')
    return weights


def _layout(
    weights: Mapping[str, Tensor]
) -> Tuple[str, Callable[[str], Optional[str]]]:
    """Name of the layout and the function that renames its tensors."""
    if 'stem.conv.weight' in weights and 'stem.norm.weight' in weights:
        return 'hourglass_plugin', lambda name: name
    if 'pre.0.conv.weight' in weights:
        return "Princeton's port", _from_princeton
    if 'conv1.weight' in weights and any(
            name.startswith('hg.0.hg.') for name in weights):
        depth = 1 + max(
            int(name.split('.')[3]) for name in weights
            if name.startswith('hg.0.hg.'))
        return "W. Yang's port", lambda name: _from_yang(name, depth)
    if any(name.startswith('hourglass_modules.') for name in weights):
        raise ValueError(
            "these are weights of MMPose's or mmdet's HourglassNet, which is "
            "another network under the same name (CornerNet's); build "
            "HourglassNet for them")
    raise ValueError(
        'the layout of the weights is unknown; it is neither W. Yang\'s '
        "(conv1, hg.0.hg...) nor Princeton's (pre.0.conv, hgs.0.0...). The "
        f'first tensors are {", ".join(list(weights)[:4])}')


def _first_match(name: str, rules: List[Tuple[str, str]]) -> Optional[str]:
    """The name by the first rule whose pattern matches from its start."""
    for pattern, replacement in rules:
        renamed, matched = re.subn(rf'^{pattern}(?=\.)', replacement, name)
        if matched:
            return renamed
    return None


def _from_yang(name: str, depth: int) -> Optional[str]:
    """Our name of a tensor of W. Yang's port; None if it has none."""
    place = re.match(r'hg\.(\d+)\.hg\.(\d+)\.([0-3])\.(\d+)\.(.+)$', name)
    if place:
        stack, level, branch, block, rest = place.groups()
        inner = 'inner.' * (depth - 1 - int(level))
        renamed: Optional[str] = (
            f'stacks.{stack}.hourglass.{inner}'
            f'{_YANG_PLACES[int(branch)]}.{block}.{rest}')
    else:
        renamed = _first_match(name, [
            (r'conv1', 'stem.conv'),
            (r'bn1', 'stem.norm'),
            (r'layer([123])\.0', r'stem.residual\1'),
            (r'res\.(\d+)\.(\d+)', r'stacks.\1.residuals.\2'),
            (r'fc\.(\d+)\.0', r'stacks.\1.conv'),
            (r'fc\.(\d+)\.1', r'stacks.\1.norm'),
            (r'score\.(\d+)', r'stacks.\1.heatmaps'),
            (r'fc_\.(\d+)', r'stacks.\1.merge_features'),
            (r'score_\.(\d+)', r'stacks.\1.merge_heatmaps'),
        ])
    if renamed is None:
        return None
    renamed = renamed.replace('.downsample.0.', '.skip.')
    return re.sub(r'\.bn([123])\.', r'.norm\1.', renamed)


def _from_princeton(name: str) -> Optional[str]:
    """Our name of a tensor of Princeton's port; None if it has none."""
    place = re.match(r'hgs\.(\d+)\.0\.((?:low2\.)*)(up1|low[123])\.(.+)$',
                     name)
    if place:
        stack, inner, branch, rest = place.groups()
        renamed: Optional[str] = (
            f'stacks.{stack}.hourglass.{inner.replace("low2", "inner")}'
            f'{_PRINCETON_PLACES[branch]}.0.{rest}')
    else:
        renamed = _first_match(name, [
            (r'pre\.0\.conv', 'stem.conv'),
            (r'pre\.0\.bn', 'stem.norm'),
            (r'pre\.1', 'stem.residual1'),
            (r'pre\.3', 'stem.residual2'),
            (r'pre\.4', 'stem.residual3'),
            (r'features\.(\d+)\.0', r'stacks.\1.residuals.0'),
            (r'features\.(\d+)\.1\.conv', r'stacks.\1.conv'),
            (r'features\.(\d+)\.1\.bn', r'stacks.\1.norm'),
            (r'outs\.(\d+)\.conv', r'stacks.\1.heatmaps'),
            (r'merge_features\.(\d+)\.conv\.conv',
             r'stacks.\1.merge_features'),
            (r'merge_preds\.(\d+)\.conv\.conv', r'stacks.\1.merge_heatmaps'),
        ])
    if renamed is None:
        return None
    renamed = renamed.replace('.skip_layer.conv.', '.skip.')
    renamed = re.sub(r'\.conv([123])\.conv\.', r'.conv\1.', renamed)
    return re.sub(r'\.bn([123])\.', r'.norm\1.', renamed)


def _drop_unused_skips(weights: Dict[str, Tensor]) -> List[str]:
    """Take out skip convolutions where a residual keeps its channels."""
    unused = []
    for name in list(weights):
        residual = re.match(r'(.+)\.skip\.(?:weight|bias)$', name)
        if not residual:
            continue
        before = weights.get(f'{residual[1]}.norm1.weight')
        after = weights.get(f'{residual[1]}.conv3.weight')
        if before is not None and after is not None and \
                before.shape[0] == after.shape[0]:
            unused.append(name)
            del weights[name]
    return unused


def _check_complete(weights: Dict[str, Tensor]) -> None:
    """Compare names and shapes with a network that has no memory yet."""
    with torch.device('meta'):
        expected = StackedHourglass(**read_arguments(weights)).state_dict()
    for name, tensor in expected.items():
        # PyTorch before 0.4.1 did not count batches; nothing depends on it.
        if name.endswith('num_batches_tracked') and name not in weights:
            weights[name] = torch.zeros((), dtype=tensor.dtype)
    _raise_if([name for name in expected if name not in weights], 'missing')
    _raise_if([name for name in weights if name not in expected], 'left over')
    _raise_if([
        f'{name} {tuple(weights[name].shape)} for {tuple(tensor.shape)}'
        for name, tensor in expected.items()
        if weights[name].shape != tensor.shape
    ], 'of another shape')


def _raise_if(names: List[str], problem: str) -> None:
    """Raise ValueError naming what is wrong, if anything is."""
    if names:
        raise ValueError(f'{len(names)} of the weights are {problem}: '
                         f'{", ".join(names)}')
