"""Checkpoint files into networks."""
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..wrapper import without_wrapper
from .key_maps import first_names, read_arguments, rename_weights, unwrap


def read_checkpoint(path: str) -> dict:
    """Read a checkpoint into the CPU's memory, without running code in it.

    Args:
        path: file, or an address that mmengine downloads.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint, is damaged, or has anything but
            tensors, numbers, texts and mmengine's own classes.
    """
    # mmengine's runner, which it needs, takes longer to import than torch.
    from ...compat.restricted import load_restricted
    return load_restricted(path, map_location='cpu', logger='silent')


def load_weights(model: nn.Module, checkpoint: dict, path: str) -> None:
    """Load a checkpoint of the same model, see :func:`check_checkpoint`."""
    weights = check_checkpoint(model, checkpoint, path)
    without_wrapper(model).load_state_dict(weights)


def check_checkpoint(model: nn.Module, checkpoint: dict,
                     path: str) -> dict[str, Tensor]:
    """Check that a checkpoint has every weight of a model, and no other.

    Args:
        model: may be wrapped for several processes.
        checkpoint: mmengine's, or the weights alone.
        path: of the checkpoint, for messages.

    Returns:
        The weights, without the prefix of a wrapper.

    Raises:
        ValueError: if weights are missing, left over, of another shape, NaN
            or infinite.
    """
    weights = _weights(checkpoint)
    try:
        check_weights(weights, without_wrapper(model).state_dict())
    except ValueError as error:
        raise ValueError(f'{path} is of another model: {error}; give the '
                         'config that it was trained with') from error
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f'{path}: {name} has NaN or Inf; take a '
                             'checkpoint from before the training failed')
    return weights


def check_shared_names(model: nn.Module, checkpoint: dict, path: str) -> None:
    """Raise ValueError if a checkpoint has none of a model's weights."""
    names = _weights(checkpoint)
    if not names.keys() & without_wrapper(model).state_dict().keys():
        raise ValueError(
            f'load_from={path}: none of its {len(names)} names is one of the '
            "model's. Convert the weights of a published port by "
            'tools/misc/convert_checkpoint.py, or name them in the config as '
            "backbone.init_cfg=dict(type='Pretrained', checkpoint=...)")


def _weights(checkpoint: dict) -> dict[str, Tensor]:
    return {
        name.removeprefix('module.'): tensor
        for name, tensor in checkpoint.get('state_dict', checkpoint).items()
        if isinstance(tensor, Tensor)}


def load_pretrained(network: nn.Module,
                    state_dict: Mapping,
                    prefix: str | None = None) -> list[str]:
    """Load a port's weights, or ours, also for another number of keypoints.

    Where the network predicts another number of keypoints, or none, the
    convolutions of heatmaps stay as they are; where it has fewer stacks, it
    gets the first ones. Everything else must be there and fit.

    Args:
        network: a ``StackedHourglass``, which is changed; all of its
            arguments but those on keypoints must be the weights'.
        state_dict: content of a checkpoint: of a published port or of one of
            our models, whose backbone is taken.
        prefix: of the names to take; found automatically in our models'.

    Returns:
        Sentences on the loaded, the unused and the unchanged tensors.

    Raises:
        ValueError: if the weights are of another network; nothing is loaded
            then.
    """
    weights, layout, sources, remarks = rename_weights(
        unwrap(state_dict, prefix))
    own = network.state_dict()
    theirs, ours = read_arguments(weights), read_arguments(own)
    if ours['num_stacks'] < theirs['num_stacks']:
        remarks.append(f'{ours["num_stacks"]} of {theirs["num_stacks"]} '
                       'stacks are taken')
        weights = _first_stacks(weights, ours['num_stacks'])
        theirs = read_arguments(weights)
    differing = {name for name in ours if theirs[name] != ours[name]}
    about_keypoints = {'num_keypoints', 'inner_heatmaps'}
    if differing - about_keypoints:
        names = sorted(differing - about_keypoints)
        raise ValueError('the weights differ from the network: ' + ', '.join(
            f'{name}={theirs[name]!r} is not {name}={ours[name]!r}'
            for name in names) + '; set these of StackedHourglass equal')
    if differing:
        unchanged = [name for name in own if 'heatmaps.' in name]
        own, weights = ({name: tensor for name, tensor in each.items()
                         if 'heatmaps.' not in name}
                        for each in (own, weights))
        remarks.append(
            f'the weights are for {theirs["num_keypoints"] or "no"} keypoints '
            f'and the network for {ours["num_keypoints"] or "none"}')
        if unchanged:
            remarks.append(f'{len(unchanged)} tensors stay as initialised '
                           f'({first_names(unchanged)})')
    check_weights(weights, own, sources)
    network.load_state_dict(weights, strict=False)
    return [f'{len(weights)} tensors of {layout.name} are loaded', *remarks]


def _first_stacks(weights: dict[str, Tensor],
                  count: int) -> dict[str, Tensor]:
    """Leave out later stacks, and what leads to the next one."""
    left_out = tuple(f'stacks.{count - 1}.{part}.'
                     for part in ('merge_features', 'merge_heatmaps'))
    return {
        name: tensor for name, tensor in weights.items()
        if not name.startswith(left_out) and not (
            name.startswith('stacks.') and int(name.split('.')[1]) >= count)}


def check_weights(weights: dict[str, Tensor],
                  expected: Mapping[str, Tensor],
                  sources: Mapping[str, str] | None = None) -> None:
    """Compare names and shapes of weights with a network's.

    Args:
        weights: missing ``num_batches_tracked``, which PyTorch before 0.4.1
            did not write, are added as zero.
        expected: the network's state dict.
        sources: original names to print besides, by name.

    Raises:
        ValueError: if weights are missing, left over or of another shape.
    """
    for name, tensor in expected.items():
        if name.endswith('num_batches_tracked') and name not in weights:
            weights[name] = torch.zeros((), dtype=tensor.dtype)
    missing = [name for name in expected if name not in weights]
    if missing and all('running_' in name for name in missing) and not any(
            'running_' in name for name in weights):
        raise ValueError(
            'the weights have no running statistics, as those of GroupNorm: '
            'load them by a StackedHourglass with norm_cfg=dict('
            "type='GN', num_groups=...) and init_cfg=dict(type='Pretrained', "
            'checkpoint=...)')
    sources = sources or {}
    shapes = [f'{sources.get(name, name)} {tuple(weights[name].shape)} for '
              f'{tuple(tensor.shape)}' for name, tensor in expected.items()
              if name in weights and weights[name].shape != tensor.shape]
    unknown = [sources.get(name, name) for name in weights
               if name not in expected]
    problems = [
        f'{len(names)} weights are {problem}: {first_names(names)}'
        for problem, names in (('missing', missing), ('unknown', unknown),
                               ('of another shape', shapes)) if names]
    if problems:
        raise ValueError('; '.join(problems))
