"""Checkpoint files into networks."""
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Optional

import torch
from mmengine.model import is_model_wrapper
from torch import nn

from ...compat.restricted import load_restricted
from .key_maps import check_complete, read_arguments, rename_weights, unwrap


def read_checkpoint(path: str) -> dict:
    """Read a checkpoint into the processor's memory; no code in it is run.

    Args:
        path: file, or an address that mmengine downloads.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint, or a damaged one, or holds
            anything but numbers.
    """
    try:
        # torch warns of files that are refused a moment later.
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            checkpoint = load_restricted(
                path, map_location='cpu', logger='silent')
    except FileNotFoundError:
        raise FileNotFoundError(f'there is no checkpoint {path}') from None
    except ValueError:
        raise
    except Exception as error:  # torch has a dozen for damaged files
        reason = str(error).partition('. ')[0]
        raise ValueError(f'{path} is not a checkpoint, or is damaged: '
                         f'{type(error).__name__}: {reason}') from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f'{path} is not a checkpoint: it holds a '
                         f'{type(checkpoint).__name__}')
    return checkpoint


def load_pretrained(network: nn.Module,
                    state_dict: Mapping,
                    prefix: Optional[str] = None) -> list[str]:
    """Load a port's weights, or ours, also for another number of keypoints.

    Where the network predicts another number of keypoints, or none, the
    convolutions that predict heatmaps and feed them back stay as they are.
    Everything else must be there and fit.

    Args:
        network: is changed; the number of its stacks and everything else but
            keypoints must be those of the weights.
        state_dict: what the checkpoint holds: a published port's weights, a
            converted file's or those of one of our models, whose backbone is
            taken.
        prefix: of the names to take, such as ``backbone``; found by itself
            in checkpoints of our models.

    Returns:
        What there is to say, one sentence on what was loaded, and others on
        what was dropped, and on what starts anew.

    Raises:
        ValueError: if the weights are of another network; nothing is loaded
            then.
    """
    converted = rename_weights(unwrap(state_dict, prefix))
    weights, own = converted.weights, network.state_dict()
    theirs, ours = read_arguments(weights), read_arguments(own)
    about_keypoints = ('num_keypoints', 'inner_heatmaps')
    differing = [
        name for name in ours
        if theirs[name] != ours[name] and name not in about_keypoints
    ]
    if differing:
        raise ValueError(
            'the weights are of a network with ' +
            ', '.join(f'{name}={theirs[name]!r}' for name in differing) +
            '; this one has ' +
            ', '.join(f'{name}={ours[name]!r}' for name in differing))
    same = all(theirs[name] == ours[name] for name in about_keypoints)
    anew = [] if same else [name for name in own if _knows_keypoints(name)]
    for name in list(weights):
        if not same and _knows_keypoints(name):
            del weights[name]
    check_complete(converted, {
        name: tensor
        for name, tensor in own.items() if name not in anew
    })
    network.load_state_dict(weights, strict=False)
    said = [f'{len(weights)} tensors of {converted.layout.name} were loaded']
    if converted.unused:
        said.append(describe_unused(converted.unused))
    if not same:
        said.append(f'the weights are for {theirs["num_keypoints"] or "no"} '
                    f'keypoints, the network is for '
                    f'{ours["num_keypoints"] or "none"}: ' +
                    (f'{len(anew)} tensors start anew: {", ".join(anew)}'
                     if anew else 'what knows keypoints was left out'))
    return said


def describe_unused(unused: list[str]) -> str:
    """One sentence on the tensors that were dropped."""
    return (f'dropped {len(unused)} tensors that the network never uses: '
            f'{", ".join(unused)}')


def _knows_keypoints(name: str) -> bool:
    """Whether a tensor depends on the keypoints: on how many, or on which."""
    return re.match(r'stacks\.\d+\.(inner_heatmaps|heatmaps|merge_heatmaps)\.',
                    name) is not None


def load_weights(model: nn.Module, checkpoint: dict, path: str) -> None:
    """Load weights and refuse those of another model.

    mmengine only warns of weights that are missing, and goes on with random
    ones.

    Args:
        model: the model; one that is wrapped for several processes, too.
        checkpoint: mmengine's, or the weights alone.
        path: where it came from, for the message.

    Raises:
        ValueError: if weights are missing, unknown, of another size, NaN or
            infinite.
    """
    if is_model_wrapper(model):
        model = model.get_submodule('module')
    weights = {
        key[len('module.'):] if key.startswith('module.') else key: value
        for key, value in checkpoint.get('state_dict', checkpoint).items()
    }
    own = model.state_dict()
    resized = [
        f'{key} {tuple(weights[key].shape)} for {tuple(own[key].shape)}'
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    problems = [_list_first('of another size', resized)]
    if not resized:
        missing, unknown = model.load_state_dict(weights, strict=False)
        # BatchNorm's count of batches is not used with a fixed momentum.
        missing = [x for x in missing if 'num_batches_tracked' not in x]
        problems = [
            _list_first('missing', missing),
            _list_first('unknown to it', unknown)
        ]
    problems = [problem for problem in problems if problem]
    if problems:
        raise ValueError(f'{path} holds the weights of another model than the '
                         f'config, which has {len(own)}: '
                         f'{"; ".join(problems)}')
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f'{path} cannot be used: {name} has values that '
                             'are NaN or infinite; take a checkpoint from '
                             'before the training failed')


def _list_first(what: str, keys: Sequence[str]) -> str:
    """``3 missing (a, b, ...)``; nothing for no keys."""
    if not keys:
        return ''
    more = ', ...' if len(keys) > 2 else ''
    return f'{len(keys)} {what} ({", ".join(keys[:2])}{more})'
