"""Names of a stacked hourglass's tensors in published projects, and ours.

Pure functions over state dicts. Known layouts, by the names of their tensors:

- W. Yang's port (bearpaw) and its descendants (anibali's): ``conv1``,
  ``hg.0.hg.3.0.0``, ``score.0``, ...;
- Princeton's own port: ``pre.0.conv``, ``hgs.0.0.low2.up1``, ``outs.0.conv``,
  ..., whose residual modules hold a skip convolution even where the channels
  match and nothing uses it;
- CornerNet's form as MMDetection's and MMPose's ``HourglassNet``:
  ``stem.0.conv``, ``hourglass_modules.0.low2.up1.0.conv1``, ..., which with
  one stack hold a residual module that nothing uses;
- ours.
"""
import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import NamedTuple, Optional, Union

import torch
from torch import Tensor

#: Patterns, and what to write for what they match.
_Rules = Sequence[tuple[str, str]]

_YANG_PLACES = ('skip', 'down', 'up', 'inner')
_YANG_OUTSIDE: _Rules = (
    (r'conv1', 'stem.conv'),
    (r'bn1', 'stem.norm'),
    (r'layer([123])\.0', r'stem.residual\1'),
    (r'res\.(\d+)\.(\d+)', r'stacks.\1.residuals.\2'),
    (r'fc\.(\d+)\.0', r'stacks.\1.conv'),
    (r'fc\.(\d+)\.1', r'stacks.\1.norm'),
    (r'score\.(\d+)', r'stacks.\1.heatmaps'),
    (r'fc_\.(\d+)', r'stacks.\1.merge_features'),
    (r'score_\.(\d+)', r'stacks.\1.merge_heatmaps'),
)
_YANG_INSIDE: _Rules = (
    (r'\.downsample\.0\.', '.skip.'),
    (r'\.bn([123])\.', r'.norm\1.'),
)

#: Princeton's, and those of OpenMMLab's HourglassNet.
_NESTED_PLACES = {
    'up1': 'skip',
    'low1': 'down',
    'low2': 'inner',
    'low3': 'up'
}
_PRINCETON_OUTSIDE: _Rules = (
    (r'pre\.0\.conv', 'stem.conv'),
    (r'pre\.0\.bn', 'stem.norm'),
    (r'pre\.1', 'stem.residual1'),
    (r'pre\.3', 'stem.residual2'),
    (r'pre\.4', 'stem.residual3'),
    (r'features\.(\d+)\.0', r'stacks.\1.residuals.0'),
    (r'features\.(\d+)\.1\.conv', r'stacks.\1.conv'),
    (r'features\.(\d+)\.1\.bn', r'stacks.\1.norm'),
    (r'outs\.(\d+)\.conv', r'stacks.\1.heatmaps'),
    (r'merge_features\.(\d+)\.conv\.conv', r'stacks.\1.merge_features'),
    (r'merge_preds\.(\d+)\.conv\.conv', r'stacks.\1.merge_heatmaps'),
)
_PRINCETON_INSIDE: _Rules = (
    (r'\.skip_layer\.conv\.', '.skip.'),
    (r'\.conv([123])\.conv\.', r'.conv\1.'),
    (r'\.bn([123])\.', r'.norm\1.'),
)
_OPENMMLAB_OUTSIDE: _Rules = (
    (r'stem\.0', 'stem.conv'),
    (r'stem\.1\.0', 'stem.residual'),
    (r'out_convs\.(\d+)', r'stacks.\1.conv'),
    (r'conv1x1s\.(\d+)', r'stacks.\1.merge_input'),
    (r'remap_convs\.(\d+)', r'stacks.\1.merge_features'),
    (r'inters\.(\d+)', r'stacks.\1.residual'),
)
_OPENMMLAB_INSIDE: _Rules = (
    (r'\.(conv|bn)1\.', r'.first.\1.'),
    (r'\.(conv|bn)2\.', r'.second.\1.'),
    (r'\.downsample\.0\.', '.skip.conv.'),
    (r'\.downsample\.1\.', '.skip.norm.'),
    (r'\.bn\.', '.norm.'),
)


class Layout(NamedTuple):
    """How a project names its weights and what it does to images."""

    name: str
    rename: Callable[[str], Optional[str]]  #: to our name; None: no such one
    #: Subtracted from RGB in [0, 1]; None where the weights do not tell.
    mean: Optional[tuple[float, float, float]]


class Converted(NamedTuple):
    """Weights under our names, and where they came from."""

    weights: dict[str, Tensor]
    layout: Layout
    sources: dict[str, str]  #: our names to the port's
    unused: list[str]  #: the port's names of tensors that it never uses

    def label(self, name: str) -> str:
        """The port's name of a tensor, with ours behind it."""
        source = self.sources.get(name) or self._name_by_neighbour(name)
        return name if source in (None, name) else f'{source} (here {name})'

    def _name_by_neighbour(self, name: str) -> Optional[str]:
        """What the port would call a missing tensor, if others tell."""
        layer, _, kind = name.rpartition('.')
        for ours, theirs in self.sources.items():
            if ours.rpartition('.')[0] == layer:
                return f'{theirs.rpartition(".")[0]}.{kind}'
        stack = re.match(r'stacks\.(\d+)\.(.+)', name)
        first = self.sources.get(f'stacks.0.{stack[2]}') if stack else None
        if stack is None or first is None:
            return None
        # The first number in a name is the stack's in every layout.
        return re.sub(r'\.\d+\.', f'.{stack[1]}.', first, count=1)


def unwrap(state_dict: Mapping,
           prefix: Optional[str] = None) -> dict[str, Tensor]:
    """The network's weights alone, without wrappers and prefixes."""
    for key in ('state_dict', 'model_state_dict', 'model', 'network'):
        if isinstance(state_dict.get(key), Mapping):
            state_dict = state_dict[key]
    named = {str(name): tensor for name, tensor in state_dict.items()}
    wrong = [
        name for name, tensor in named.items()
        if not isinstance(tensor, Tensor)
    ]
    if len(wrong) == len(named):
        raise ValueError('there are no weights in it' + (
            f', but {", ".join(sorted(wrong)[:5])}' if wrong else ''))
    _raise_if(wrong, 'no tensors')
    if prefix is None and any('backbone.stem.' in name for name in named):
        prefix = 'backbone'
    if prefix is not None:
        named = {
            name: tensor
            for name, tensor in named.items()
            if re.match(rf'(module\.)?{re.escape(prefix.rstrip("."))}\.', name)
        }
        if not named:
            raise ValueError(f'no weights have the prefix {prefix!r}')
    weights: dict[str, Tensor] = {}
    for name, tensor in named.items():
        bare = re.sub(r'^((module|model|network|net|backbone)\.)+', '', name)
        if bare in weights:
            raise ValueError(f'{name} is there twice, with another prefix')
        weights[bare] = tensor
    return weights


def rename_weights(weights: Mapping[str, Tensor]) -> Converted:
    """Weights under our names, without what is never used."""
    layout = find_layout(weights)
    renamed: dict[str, Tensor] = {}
    sources: dict[str, str] = {}
    unknown = []
    for name, tensor in weights.items():
        ours = layout.rename(name)
        if ours is None:
            unknown.append(name)
        else:
            renamed[ours] = tensor
            sources[ours] = name
    _raise_if(unknown, f'unknown to {layout.name}')
    unused = [
        sources[name] for name in (*_drop_unused_skips(renamed),
                                   *_drop_unused_residual(renamed))
    ]
    return Converted(renamed, layout, sources, unused)


def find_layout(weights: Mapping[str, Tensor]) -> Layout:
    """Recognise a project by the names of its tensors.

    Args:
        weights: without wrappers and prefixes.

    Raises:
        ValueError: if the names are of no stacked hourglass that is known.
    """
    if _is_cornernets(weights) or ('stem.conv.weight' in weights
                                   and 'stem.norm.weight' in weights):
        return Layout('hourglass_plugin', lambda name: name, None)
    if 'pre.0.conv.weight' in weights:
        return Layout("Princeton's port", _from_princeton, (0.0, 0.0, 0.0))
    levels = [
        int(name.split('.')[3]) for name in weights
        if re.match(r'hg\.0\.hg\.\d+\.', name)
    ]
    if 'conv1.weight' in weights and levels:
        depth = 1 + max(levels)
        # Both bearpaw and anibali subtract the mean colour of MPII's
        # training images, and do not divide by its deviation.
        return Layout("W. Yang's port",
                      lambda name: _from_yang(name, depth),
                      (0.4404, 0.4440, 0.4327))
    if any(name.startswith('hourglass_modules.') for name in weights):
        return Layout("OpenMMLab's HourglassNet", _from_openmmlab, None)
    raise ValueError(
        'the layout of the weights is unknown; it is neither W. Yang\'s '
        "(conv1, hg.0.hg...) nor Princeton's (pre.0.conv, hgs.0.0...) nor "
        "OpenMMLab's (stem.0.conv, hourglass_modules.0...). The first "
        f'tensors are {", ".join(list(weights)[:4])}')


def _from_yang(name: str, depth: int) -> Optional[str]:
    """Our name of a tensor of W. Yang's port; None if it has none."""
    place = re.match(r'hg\.(\d+)\.hg\.(\d+)\.([0-3])\.(\d+\..+)$', name)
    if place is None:
        return _replaced(name, _YANG_OUTSIDE, _YANG_INSIDE)
    stack, level, branch, rest = place.groups()
    inner = 'inner.' * (depth - 1 - int(level))
    return _replaced(
        f'stacks.{stack}.hourglass.{inner}{_YANG_PLACES[int(branch)]}.{rest}',
        None, _YANG_INSIDE)


def _from_princeton(name: str) -> Optional[str]:
    """Our name of a tensor of Princeton's port; None if it has none."""
    in_hourglass = _nested(name, r'hgs\.(\d+)\.0', block='0.')
    return _replaced(in_hourglass or name,
                     None if in_hourglass else _PRINCETON_OUTSIDE,
                     _PRINCETON_INSIDE)


def _from_openmmlab(name: str) -> Optional[str]:
    """Our name of a tensor of HourglassNet; None if it has none."""
    in_hourglass = _nested(name, r'hourglass_modules\.(\d+)')
    return _replaced(in_hourglass or name,
                     None if in_hourglass else _OPENMMLAB_OUTSIDE,
                     _OPENMMLAB_INSIDE)


def _nested(name: str, hourglass: str, block: str = '') -> Optional[str]:
    """Our name of a place where hourglasses lie in ``low2`` of others.

    Args:
        name: of a tensor.
        hourglass: pattern of a stack's outermost one.
        block: number of the residual module that the layout leaves out.
    """
    place = re.match(rf'{hourglass}\.((?:low2\.)*)(up1|low[123])\.(.+)$', name)
    if place is None:
        return None
    stack, inner, branch, rest = place.groups()
    return (f'stacks.{stack}.hourglass.{inner.replace("low2", "inner")}'
            f'{_NESTED_PLACES[branch]}.{block}{rest}')


def _replaced(name: str, outside: Optional[_Rules],
              inside: _Rules) -> Optional[str]:
    """A name by rules of patterns and what to write for them.

    Args:
        name: of a tensor.
        outside: one of them must match the beginning of the name; ``None``
            where that is ours already.
        inside: all are applied, within a layer.
    """
    if outside is not None:
        for pattern, replacement in outside:
            renamed, matched = re.subn(rf'^{pattern}(?=\.)', replacement, name)
            if matched:
                name = renamed
                break
        else:
            return None
    for pattern, replacement in inside:
        name = re.sub(pattern, replacement, name)
    return name


def _drop_unused_skips(weights: dict[str, Tensor]) -> list[str]:
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


def _drop_unused_residual(weights: dict[str, Tensor]) -> list[str]:
    """Take out what would make the input of a second stack where none is."""
    unused = []
    if not any(name.startswith('stacks.1.') for name in weights):
        unused = [
            name for name in weights if name.startswith('stacks.0.residual.')
        ]
    for name in unused:
        del weights[name]
    return unused


def check_complete(converted: Converted,
                   expected: Mapping[str, Tensor]) -> None:
    """Compare names and shapes with those that a network has."""
    weights, label = converted.weights, converted.label
    for name, tensor in expected.items():
        # PyTorch before 0.4.1 did not count batches; nothing depends on it.
        if name.endswith('num_batches_tracked') and name not in weights:
            weights[name] = torch.zeros((), dtype=tensor.dtype)
    problems = [
        _problem([label(name) for name in expected if name not in weights],
                 'missing'),
        _problem([label(name) for name in weights if name not in expected],
                 'left over'),
        _problem([
            f'{label(name)} {tuple(weights[name].shape)} for '
            f'{tuple(tensor.shape)}' for name, tensor in expected.items()
            if name in weights and weights[name].shape != tensor.shape
        ], 'of another shape')
    ]
    if any(problems):
        raise ValueError('; '.join(filter(None, problems)))


def _problem(names: list[str], problem: str) -> str:
    """What is wrong with some weights, naming all; empty for none."""
    if not names:
        return ''
    return f'{len(names)} of the weights are {problem}: {", ".join(names)}'


def _raise_if(names: list[str], problem: str) -> None:
    """Raise ValueError naming what is wrong, if anything is."""
    if names:
        raise ValueError(_problem(names, problem))


def read_arguments(state_dict: Mapping[str, Tensor]) -> dict:
    """Arguments of the ``StackedHourglass`` that fits the weights.

    Args:
        state_dict: weights under our names.

    Returns:
        ``num_stacks``, ``num_blocks``, ``feat_channels``, ``depth``,
        ``num_keypoints``, ``inner_heatmaps``, ``in_channels``,
        ``stem_channels`` and ``form``; one number where all resolutions of an
        hourglass have the same.
    """

    def count(pattern: str) -> int:
        numbers = [
            int(found[1]) for found in (re.match(pattern, name)
                                        for name in state_dict) if found
        ]
        return max(numbers, default=-1) + 1

    def shape(name: str) -> torch.Size:
        tensor = state_dict.get(f'{name}.weight')
        if tensor is None or tensor.ndim != 4:
            raise ValueError(
                f'the weights of the convolution {name}.weight are ' +
                ('missing' if tensor is None else
                 f'of another shape: {tuple(tensor.shape)}'))
        return tensor.shape

    heatmaps = [
        name for name in state_dict
        if re.match(r'stacks\.\d+\.heatmaps\.weight$', name)
    ]
    is_cornernets = _is_cornernets(state_dict)
    last = 'second.conv' if is_cornernets else 'conv3'  # of a residual module
    depth = max((name.count('inner.') for name in state_dict), default=0)
    places = [
        'stacks.0.hourglass.' + 'inner.' * halvings
        for halvings in range(depth + 1)
    ]
    num_blocks = [count(rf'{re.escape(place)}(?:skip\.)?(\d+)\.')
                  for place in places]
    widths = [
        shape(f'stem.residual{"" if is_cornernets else 3}.{last}')[0],
        *(shape(f'{place}down.0.{last}')[0] for place in places[:-1])
    ]
    return dict(
        num_stacks=count(r'stacks\.(\d+)\.'),
        num_blocks=_one_if_equal(num_blocks),
        feat_channels=_one_if_equal(widths),
        depth=depth,
        num_keypoints=shape(heatmaps[0][:-len('.weight')])[0]
        if heatmaps else None,
        inner_heatmaps=count(r'stacks\.0\.inner_heatmaps\.(\d+)\.'),
        in_channels=shape('stem.conv.conv' if is_cornernets else
                          'stem.conv')[1],
        stem_channels=None if is_cornernets else
        (shape('stem.conv')[0], shape('stem.residual1.conv3')[0],
         shape('stem.residual2.conv3')[0]))


def _is_cornernets(names: Container[str]) -> bool:
    """Whether weights under our names are of CornerNet's form."""
    return 'stem.conv.norm.weight' in names


def _one_if_equal(numbers: list[int]) -> Union[int, tuple[int, ...]]:
    """The number that all of them are, else all."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
