"""Whether the parts of a config belong together, before anything runs.

Model, codec and data set each know how many keypoints there are and how large
images and heatmaps are. Where they disagree training would end in the middle
of a step, or, worse, not at all. Each disagreement is one line that says what
to change.
"""
import difflib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from .stacked_hourglass import StackedHourglass

if TYPE_CHECKING:
    from .head import MultiStageHeatmapHead

#: What says in a config where a loader's transforms are.
_PHASES = ('train', 'val', 'test')

#: What estimator and head read of ``test_cfg``.
_TEST_SETTINGS = ('eval_all_stacks', 'eval_stack', 'flip_mode', 'flip_test',
                  'output_heatmaps', 'output_keypoint_indices',
                  'shift_coords', 'shift_heatmap')

#: Settings of a training that are whole numbers -> the least that makes sense.
_COUNTS = {
    'train_cfg.max_epochs': 1,
    'train_cfg.max_iters': 1,
    'train_cfg.val_interval': 1,
    'train_cfg.val_begin': 0,
    'optim_wrapper.accumulative_counts': 1,
    'default_hooks.checkpoint.interval': -1,
    'default_hooks.checkpoint.max_keep_ckpts': -1,
}


def check_training_numbers(config: Config) -> None:
    """Check the numbers of a training, some of which it reads at its end.

    Args:
        config: what it leaves out has its default.

    Raises:
        ValueError: if a count is no whole number or too small, or the
            learning rate is negative or no number.
    """
    for name, least in _COUNTS.items():
        for value in _values(config, name):
            if not (isinstance(value, (int, float)) and value >= least
                    and value % 1 == 0):
                raise ValueError(f'{name}={value!r} must be a whole number of '
                                 f'{least} or more')
    for value in _values(config, 'optim_wrapper.optimizer.lr'):
        if not (isinstance(value, (int, float)) and 0 <= value < math.inf):
            raise ValueError(f'optim_wrapper.optimizer.lr={value!r} must be a '
                             'number of 0 or more')


def _values(config: Config, name: str) -> Iterator[Any]:
    """The setting of a dotted name, if the config has it."""
    node: Any = config
    for key in name.split('.'):
        if not isinstance(node, (dict, Config)) or key not in node:
            return
        node = node[key]
    yield node


def check_model(model: nn.Module) -> None:
    """Check network, head, codec and ``test_cfg`` against each other.

    Models without :class:`MultiStageHeatmapHead` are left to others.

    Args:
        model: MMPose's, with ``backbone`` and ``head``.

    Raises:
        ValueError: if two of them disagree.
    """
    head = getattr(model, 'head', None)
    if not _is_ours(head):
        return
    network = getattr(model, 'backbone', None)
    if isinstance(network, StackedHourglass):
        _check_network(network, head)
    codec = head.decoder
    test_cfg = getattr(model, 'test_cfg', None) or {}
    for name in test_cfg:
        close = difflib.get_close_matches(name, _TEST_SETTINGS, 1, cutoff=0.65)
        if close and name not in _TEST_SETTINGS:
            raise ValueError(f'model.test_cfg has the unknown setting '
                             f'{name!r}; did you mean {close[0]!r}?')
    if codec is None:
        if test_cfg.get('flip_test'):
            raise ValueError('test_cfg has flip_test=True, which needs the '
                             'codec: set model.head.decoder=codec')
        return
    asked = test_cfg.get('shift_heatmap')
    if test_cfg.get('flip_test') and asked not in (None,
                                                   head.shifts_mirrored):
        raise ValueError(
            f'test_cfg has shift_heatmap={asked}, but mirrored heatmaps of '
            f'{type(codec).__name__} line up with shift_heatmap='
            f'{head.shifts_mirrored}: remove shift_heatmap from '
            'model.test_cfg, the head finds it out')
    if isinstance(network, StackedHourglass):
        _check_sizes(network, codec)


def _check_network(network: StackedHourglass,
                   head: 'MultiStageHeatmapHead') -> None:
    """Keypoints, channels and stacks of network and head."""
    if network.num_keypoints is not None:
        if head.heatmaps is not None:
            raise ValueError(
                f'the network predicts {network.num_keypoints} heatmaps, and '
                'the head has convolutions that would predict them from '
                'features: remove in_channels and num_stages from '
                'model.head, or num_keypoints from model.backbone')
        if network.num_keypoints != head.out_channels:
            raise ValueError(
                f'the network has num_keypoints={network.num_keypoints}, but '
                f'the head out_channels={head.out_channels}: set '
                'model.backbone.num_keypoints and model.head.out_channels to '
                'the number of keypoints of the data set')
    elif head.heatmaps is None:
        raise ValueError(
            'the network returns features, and the head has nothing to make '
            f'heatmaps of them: set model.backbone.num_keypoints='
            f'{head.out_channels}, or give model.head in_channels='
            f'{network.out_channels} and num_stages='
            f'{len(network.out_stacks)}')
    else:
        channels = head.heatmaps[0].in_channels
        if channels != network.out_channels:
            raise ValueError(
                f'the head has in_channels={channels}, but the network '
                f'returns {network.out_channels}: set model.head.in_channels='
                f'{network.out_channels}')
    stacks = len(network.out_stacks)
    if head.num_stages not in (None, stacks):
        raise ValueError(
            f'the network returns {stacks} stacks, but the head has '
            f'num_stages={head.num_stages} (or as many loss_weights): set '
            f'model.head.num_stages={stacks}, or model.backbone.num_stacks or '
            'out_stacks')


def _check_sizes(network: StackedHourglass, codec: Any) -> None:
    """Sizes of image and heatmaps."""
    width, height = codec.input_size
    multiple = 4 * 2**network.depth
    if any(side % multiple not in (0, multiple - 1)
           for side in (width, height)):
        raise ValueError(
            f'the codec has input_size=({width}, {height}), but at depth='
            f'{network.depth} sides must be multiples of {multiple}: set '
            f'input_size=({-(-width // multiple) * multiple}, '
            f'{-(-height // multiple) * multiple}) in codec and pipelines')
    expected = (-(-width // 4), -(-height // 4))
    if tuple(codec.heatmap_size) != expected:
        raise ValueError(
            f'the codec has heatmap_size={tuple(codec.heatmap_size)} for '
            f'input_size=({width}, {height}), but the network\'s heatmaps are '
            f'a quarter of that: set heatmap_size={expected} in the codec, in '
            'model.head.decoder and in the pipelines')


def check_data(dataset: Dataset, model: nn.Module, phase: str) -> None:
    """Check a data set and its transforms against a model.

    Args:
        dataset: one of MMPose's or ours, or a wrapper of such.
        model: MMPose's, with ``head``.
        phase: ``train``, ``val`` or ``test``, for the message.

    Raises:
        ValueError: if they disagree.
    """
    head = getattr(model, 'head', None)
    if not _is_ours(head):
        return
    where = f'{phase}_dataloader.dataset'
    metainfo = getattr(dataset, 'metainfo', None) or {}
    count = metainfo.get('num_keypoints')
    if count not in (None, head.out_channels):
        raise ValueError(
            f'{where} ({metainfo.get("dataset_name")}) has {count} keypoints, '
            f'but the head out_channels={head.out_channels}: set '
            f'model.head.out_channels={count} and '
            f'model.backbone.num_keypoints={count}, with a codec for as many')
    codec = head.decoder
    if codec is None:
        return
    for transform in _transforms(dataset):
        name = type(transform).__name__
        size = getattr(transform, 'input_size', None)
        if size is not None and tuple(size) != tuple(codec.input_size):
            raise ValueError(
                f'{name} in {where} makes images of {tuple(size)} pixels, but '
                f'the head\'s codec has input_size={tuple(codec.input_size)}: '
                'give the transform, the codec of GenerateTarget and '
                'model.head.decoder the same')
        encoder = getattr(transform, 'encoder', None)
        if encoder is not None and not isinstance(encoder, (list, tuple)):
            _check_encoder(encoder, codec, where)


def _check_encoder(encoder: Any, codec: Any, where: str) -> None:
    """Refuse targets of one codec that another one decodes."""
    for name in ('input_size', 'heatmap_size', 'sigma', 'exact_centers'):
        theirs, ours = _setting(encoder, name), _setting(codec, name)
        if None not in (theirs, ours) and theirs != ours:
            raise ValueError(
                f'the codec of GenerateTarget in {where} has {name}={theirs}, '
                f'but that of model.head.decoder {name}={ours}: give both the '
                'same codec')


def _setting(codec: Any, name: str) -> Any:
    value = getattr(codec, name, None)
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _transforms(dataset: Any) -> Iterator[Any]:
    """All transforms of a data set and, if it is a wrapper, of its parts."""
    pipeline = getattr(dataset, 'pipeline', None)
    yield from getattr(pipeline, 'transforms', None) or ()
    inner = getattr(dataset, 'dataset', None)
    for part in (*(getattr(dataset, 'datasets', None) or ()),
                 *((inner, ) if isinstance(inner, Dataset) else ())):
        yield from _transforms(part)


def check_runner(runner: Runner, *phases: str) -> None:
    """Check a runner's model, and the data sets of loops that are built.

    Args:
        runner: mmengine's.
        phases: of ``train``, ``val``, ``test``; default: all.

    Raises:
        ValueError: if parts disagree.
    """
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    check_model(model)
    for phase in phases or _PHASES:
        # Not the property, which would build the loop.
        loop = getattr(runner, f'_{phase}_loop', None)
        loader: Optional[Any] = getattr(loop, 'dataloader', None)
        if loader is not None:
            check_data(loader.dataset, model, phase)


@HOOKS.register_module()
class ConfigCheckHook(Hook):
    """Refuses a config whose parts disagree, under any tool's runner.

    Ours look earlier, and print one line; see :func:`check_runner`.
    """

    def before_run(self, runner: Runner) -> None:
        """Check what is built now: the loop that runs, and validation's."""
        check_runner(runner)


def _is_ours(head: Any) -> bool:
    """Whether it is a :class:`MultiStageHeatmapHead`."""
    from .head import MultiStageHeatmapHead
    return isinstance(head, MultiStageHeatmapHead)
