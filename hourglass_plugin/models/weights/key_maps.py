"""Names of a stacked hourglass's tensors in published ports, and ours.

Pure functions over state dicts. A layout is recognised by its names:

- W. Yang's port (bearpaw) and its descendants (anibali's): ``conv1``,
  ``hg.0.hg.3.0.0``, ``score.0``, ...;
- Princeton's own port: ``pre.0.conv``, ``hgs.0.0.low2.up1``, ``outs.0.conv``,
  ..., whose residual modules have a skip convolution even where the channels
  match and it is unused;
- ours.
"""
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

#: Regular expressions, and the replacement of their matches.
_Rules = Sequence[tuple[str, str | Callable[[re.Match], str]]]

_YANG_PLACES = ('skip', 'down', 'up', 'inner')
_PRINCETON_PLACES = dict(up1='skip', low1='down', low2='inner', low3='up')


def _yang_rules(depth: int) -> _Rules:
    """Rules for W. Yang's names, whose hourglasses count from within."""

    def place(found: re.Match) -> str:
        stack, level, branch = found.groups()
        inner = 'inner.' * (depth - 1 - int(level))
        return (f'stacks.{stack}.hourglass.{inner}'
                f'{_YANG_PLACES[int(branch)]}.')

    return (
        (r'^hg\.(\d+)\.hg\.(\d+)\.([0-3])\.', place),
        (r'^conv1\.', 'stem.conv.'),
        (r'^bn1\.', 'stem.norm.'),
        (r'^layer([123])\.0\.', r'stem.residual\1.'),
        (r'^res\.(\d+)\.', r'stacks.\1.residuals.'),
        (r'^fc\.(\d+)\.0\.', r'stacks.\1.conv.'),
        (r'^fc\.(\d+)\.1\.', r'stacks.\1.norm.'),
        (r'^score\.(\d+)\.', r'stacks.\1.heatmaps.'),
        (r'^fc_\.(\d+)\.', r'stacks.\1.merge_features.'),
        (r'^score_\.(\d+)\.', r'stacks.\1.merge_heatmaps.'),
        (r'\.downsample\.0\.', '.skip.'),
        (r'\.bn([123])\.', r'.norm\1.'))


def _princeton_place(found: re.Match) -> str:
    """Our name of a place in Princeton's hourglasses, nested in ``low2``."""
    stack, inner, branch = found.groups()
    return (f'stacks.{stack}.hourglass.{inner.replace("low2", "inner")}'
            f'{_PRINCETON_PLACES[branch]}.0.')


_PRINCETON_RULES: _Rules = (
    (r'^hgs\.(\d+)\.0\.((?:low2\.)*)(up1|low[123])\.', _princeton_place),
    (r'^pre\.0\.conv\.', 'stem.conv.'),
    (r'^pre\.0\.bn\.', 'stem.norm.'),
    (r'^pre\.1\.', 'stem.residual1.'),
    (r'^pre\.3\.', 'stem.residual2.'),
    (r'^pre\.4\.', 'stem.residual3.'),
    (r'^features\.(\d+)\.0\.', r'stacks.\1.residuals.0.'),
    (r'^features\.(\d+)\.1\.conv\.', r'stacks.\1.conv.'),
    (r'^features\.(\d+)\.1\.bn\.', r'stacks.\1.norm.'),
    (r'^outs\.(\d+)\.conv\.', r'stacks.\1.heatmaps.'),
    (r'^merge_features\.(\d+)\.conv\.conv\.', r'stacks.\1.merge_features.'),
    (r'^merge_preds\.(\d+)\.conv\.conv\.', r'stacks.\1.merge_heatmaps.'),
    (r'\.skip_layer\.conv\.', '.skip.'),
    (r'\.conv([123])\.conv\.', r'.conv\1.'),
    (r'\.bn([123])\.', r'.norm\1.'))


class Layout(NamedTuple):
    """A project's names of weights, and its normalisation of images."""

    name: str
    rules: _Rules  #: from its names to ours
    #: Subtracted from RGB in [0, 1]; None where the layout does not tell.
    mean: tuple[float, float, float] | None


class RenamedWeights(NamedTuple):
    """Weights under our names, and their origin."""

    weights: dict[str, Tensor]
    layout: Layout
    sources: dict[str, str]  #: our names to the port's
    remarks: list[str]  #: on tensors that are left out


def unwrap(state_dict: Mapping,
           prefix: str | None = None) -> dict[str, Tensor]:
    """Return a network's weights without wrappers and prefixes.

    Args:
        state_dict: content of a checkpoint.
        prefix: of the names to take; by default our models' ``backbone``.

    Raises:
        ValueError: if there are no tensors, or others than tensors.
    """
    for key in ('state_dict', 'model_state_dict', 'model', 'network'):
        if isinstance(state_dict.get(key), Mapping):
            state_dict = state_dict[key]
    others = [str(name) for name, tensor in state_dict.items()
              if not isinstance(tensor, Tensor)]
    if others or not state_dict:
        raise ValueError('it is not a state dict of tensors: '
                         f'{first_names(others) or "empty"}; give the '
                         "checkpoint of a training, or its 'state_dict'")
    if prefix is None and any('backbone.stem.' in name for name in state_dict):
        prefix = 'backbone'
    start = rf'(module\.)?{re.escape(prefix.rstrip("."))}\.' if prefix else ''
    weights: dict[str, Tensor] = {}
    for name, tensor in state_dict.items():
        if re.match(start, name):
            bare = re.sub(r'^((module|model|network|net|backbone)\.)+', '',
                          name)
            if bare in weights:
                raise ValueError(f'{name} is there twice, with two prefixes: '
                                 'choose one by prefix=... in init_cfg')
            weights[bare] = tensor
    if not weights:
        raise ValueError(f'no weights have the prefix {prefix!r}; they are '
                         f'{first_names(state_dict)}')
    return weights


def rename_weights(weights: Mapping[str, Tensor]) -> RenamedWeights:
    """Return weights under our names, without unused ones.

    Names unknown to the layout stay, to be refused beside the network's.

    Raises:
        ValueError: if the layout is unknown.
    """
    layout = find_layout(weights)
    sources = {}
    for name in weights:
        ours = name
        for pattern, replacement in layout.rules:
            ours = re.sub(pattern, replacement, ours)
        sources[ours] = name
    renamed = {ours: weights[name] for ours, name in sources.items()}
    # A residual uses its skip convolution only to change the channels.
    unused = [
        f'{name[:-len("weight")]}{kind}'
        for name, tensor in renamed.items() for kind in ('weight', 'bias')
        if name.endswith('.skip.weight') and len(set(tensor.shape[:2])) == 1]
    unused = [name for name in unused if renamed.pop(name, None) is not None]
    remarks = [f'{len(unused)} tensors that the network never uses are left '
               f'out ({first_names(sources[name] for name in unused)})']
    if not unused:
        remarks = []
    return RenamedWeights(renamed, layout, sources, remarks)


def find_layout(weights: Mapping[str, Tensor]) -> Layout:
    """Recognise a project by the names of its tensors, without prefixes.

    Raises:
        ValueError: if the names are of no known stacked hourglass.
    """
    if 'stem.conv.weight' in weights and 'stem.norm.weight' in weights:
        return Layout('hourglass_plugin', (), None)
    if 'pre.0.conv.weight' in weights:
        return Layout("Princeton's port", _PRINCETON_RULES, (0.0, 0.0, 0.0))
    levels = re.findall(r'\bhg\.0\.hg\.(\d+)\.', '\n'.join(weights))
    if 'conv1.weight' in weights and levels:
        # Both bearpaw and anibali subtract the mean colour of MPII's
        # training images, and do not divide by its deviation.
        return Layout("W. Yang's port", _yang_rules(1 + max(map(int, levels))),
                      (0.4404, 0.4440, 0.4327))
    raise ValueError(
        "only weights of W. Yang's layout (conv1, hg.0.hg...) and Princeton's "
        f'(pre.0.conv, hgs.0.0...) can be read, not {first_names(weights)}; '
        'HourglassNet of MMPose and MMDetection is another network')


def first_names(names: Iterable[str]) -> str:
    """Return the first three names, and the number of the others."""
    names = list(names)
    more = f' and {len(names) - 3} more' if len(names) > 3 else ''
    return ', '.join(names[:3]) + more


def read_arguments(state_dict: Mapping[str, Tensor]) -> dict:
    """Return a ``StackedHourglass``'s arguments from weights in our names.

    Returns:
        ``num_stacks``, ``num_blocks``, ``feat_channels``, ``depth``,
        ``num_keypoints``, ``inner_heatmaps``, ``in_channels`` and
        ``stem_channels``; one number where all resolutions of an hourglass
        have the same.

    Raises:
        ValueError: if a convolution that tells them is missing.
    """

    def count(pattern: str) -> int:
        return len(set(re.findall(pattern, names, re.MULTILINE)))

    def shape(name: str) -> torch.Size:
        tensor = state_dict.get(name)
        if tensor is None or tensor.ndim != 4:
            raise ValueError(f'{name} is missing or no convolution: give a '
                             'complete file')
        return tensor.shape

    names = '\n'.join(state_dict)
    depth = max((name.count('inner.') for name in state_dict), default=0)
    places = ['stacks.0.hourglass.' + 'inner.' * halvings
              for halvings in range(depth + 1)]
    num_blocks = [count(rf'^{re.escape(place)}(?:skip\.)?(\d+)\.')
                  for place in places]
    stem_channels = [shape('stem.conv.weight')[0]] + [
        shape(f'stem.residual{index}.conv3.weight')[0] for index in (1, 2, 3)]
    widths = [stem_channels.pop()] + [
        shape(f'{place}down.0.conv3.weight')[0] for place in places[:-1]]
    heatmaps = 'stacks.0.heatmaps.weight'
    return dict(
        num_stacks=count(r'^stacks\.(\d+)\.'),
        num_blocks=_one_if_equal(num_blocks),
        feat_channels=_one_if_equal(widths),
        depth=depth,
        num_keypoints=shape(heatmaps)[0] if heatmaps in state_dict else None,
        inner_heatmaps=count(r'^stacks\.0\.inner_heatmaps\.(\d+)\.'),
        in_channels=shape('stem.conv.weight')[1],
        stem_channels=tuple(stem_channels))


def _one_if_equal(numbers: list[int]) -> int | tuple[int, ...]:
    """Return the number if all are equal, else all."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
