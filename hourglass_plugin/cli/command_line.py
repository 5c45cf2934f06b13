"""What the tools do with configs, checkpoints and mmengine's runner.

Wrong input raises ValueError or FileNotFoundError with one line that names
it; the tools print that line.
"""
import argparse
import difflib
import inspect
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.evaluator import DumpResults, Evaluator
from mmengine.logging import MMLogger, print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIMIZERS, Registry, init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS
from torch import nn
from torch.utils.data import DataLoader, Dataset

from .. import __version__
from ..atomic_files import atomic_file
from ..compat import safe_checkpoints  # noqa: F401, restricts mmengine's loader
from ..datasets.samplers import SeededSampler
from ..engine.checkpoint_hook import check_progress
from ..engine.latest_checkpoint import checkpoints_in, latest_checkpoint
from ..evaluation.files.submissions import (
    OfficialPredictionFile,
    official_data_set,
)
from ..evaluation.metric_name import MetricName
from ..evaluation.metrics import PCKMetric
from ..engine.config_check_hook import check_runner, check_training_numbers
from ..models.stacked_hourglass import StackedHourglass
from ..models.weights.loading import read_checkpoint
from .distributed import set_up_processes

#: Settings of a config that mmengine's runner reads itself.
_RUNNER_SETTINGS = set(inspect.signature(Runner).parameters) | {
    'activation_checkpointing', 'compile', 'custom_imports',
    'find_unused_parameters', 'model_wrapper_cfg', 'sync_bn'
}


def load_config(path: str, options: Sequence[str] = ()) -> Config:
    """Read a config and replace settings in it.

    Args:
        path: config file.
        options: ``key=value`` as in mmengine's ``--cfg-options``. The setting
            itself may be new, what it belongs to must be there.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a config of a model, has a mistyped
            setting of the runner, or an option does not fit it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no config {path}')
    try:
        config = Config.fromfile(path)
    except Exception as error:  # a config is a program and can fail anyhow
        raise ValueError(f'the config {path} cannot be read: '
                         f'{type(error).__name__}: {error}') from error
    _check_names(config, path)
    for key, value in _parse_options(options).items():
        _check_option(config, key)
        config.merge_from_dict({key: value})
    if 'model' not in config:
        raise ValueError(f'{path} is not a config of a model: it has no '
                         '`model`')
    return config


def _check_names(config: Config, path: str) -> None:
    """Refuse what is almost, but not quite, a setting of the runner.

    Any other name may be a variable of the config's, and so may one that a
    setting's name begins, such as ``model_width``.
    """
    known = sorted(_RUNNER_SETTINGS)
    for name in config:
        if name.startswith(tuple(known)):
            continue
        close = difflib.get_close_matches(name, known, 1, cutoff=0.85)
        if close:
            raise ValueError(
                f'{path}: nobody reads the setting {name!r}; there is '
                f'{close[0]!r}. A variable of your own needs a name that is '
                'less like it')


def _parse_options(options: Sequence[str]) -> dict[str, Any]:
    """``['a.b=1']`` to ``{'a.b': 1}``, by mmengine's rules."""
    for option in options:
        if not option.partition('=')[0] or '=' not in option:
            raise ValueError(f'--cfg-options {option}: write key=value')
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='*', action=DictAction, default={})
    try:
        return parser.parse_args(['--options', *options]).options
    except AssertionError as error:
        raise ValueError(f'--cfg-options: {error}') from error


def _check_option(config: Config, key: str) -> None:
    """Raise ValueError if what a setting belongs to is not in the config.

    mmengine would add it, and a mistyped key would do nothing.
    """
    node: Any = config
    names = key.split('.')
    for depth, name in enumerate(names):
        is_last = depth == len(names) - 1
        if isinstance(node, (list, tuple)):
            known = [str(index) for index in range(len(node))]
            is_new_allowed = False
        elif depth == 0:
            known = sorted({*node.keys(), *_RUNNER_SETTINGS})
            is_new_allowed = False
        elif hasattr(node, 'keys'):
            known = list(node.keys())
            is_new_allowed = is_last
        else:
            raise ValueError(f'--cfg-options {key}: '
                             f'{".".join(names[:depth])} is {node!r} and has '
                             'no settings')
        if name not in known:
            if is_new_allowed:
                return
            close = difflib.get_close_matches(name, known)
            raise ValueError(
                f'--cfg-options {key}: the config has no '
                f'{".".join(names[:depth + 1])!r}; there is ' +
                (f'{close[0]!r}' if close else ', '.join(known)))
        if depth == 0 and name not in node:
            return  # the runner's own, absent from this config
        node = node[int(name) if isinstance(node, (list, tuple)) else name]


def explain_unknown_type(message: str) -> str:
    """What mmengine says of a type that is not registered, made useful.

    Args:
        message: of any KeyError.

    Returns:
        One line with the nearest names of that registry; other messages as
        they are.
    """
    found = re.match(r'(\S+) is not in the (\w+)::(.+?) registry\. ', message)
    if found is None:
        return message
    name, scope, kind = found.groups()
    known: set[str] = set()
    for part in vars(sys.modules.get(f'{scope}.registry', object)).values():
        if isinstance(part, Registry) and part.name == kind:
            node: Optional[Registry] = part
            while node is not None:
                known.update(node.module_dict)
                node = node.parent
    close = difflib.get_close_matches(name, sorted(known))
    nearest = f'there is {", ".join(map(repr, close))}' if close else (
        'nor is a name like it; custom_imports imports what registers it')
    return f'{name!r} is not in the registry {scope}::{kind}; {nearest}'


def set_work_dir(config: Config, work_dir: Optional[str], path: str) -> None:
    """Choose the folder of logs and checkpoints as MMPose does.

    The argument, else the config's, else ``work_dirs/<name of the config>``.
    """
    if work_dir is not None:
        config.work_dir = work_dir
    elif config.get('work_dir') is None:
        config.work_dir = os.path.join('work_dirs', Path(path).stem)


def set_training(config: Config, resume: Optional[str], mixed_precision: bool,
                 validate: bool, scale_learning_rate: bool) -> None:
    """Put what ``tools/train.py`` was asked for into the config.

    Args:
        config: is changed.
        resume: None starts anew, ``auto`` goes on from the latest checkpoint
            in the work dir, anything else is the checkpoint to go on from.
        mixed_precision: float16 with loss scaling on a GPU, bfloat16 without
            one.
        validate: whether to evaluate during training.
        scale_learning_rate: whether to scale it to the batch size.

    Raises:
        ValueError: if the config does not allow it.
    """
    for setting in ('train_dataloader', 'train_cfg', 'optim_wrapper'):
        if config.get(setting) is None:
            raise ValueError('the config cannot be trained: it has no '
                             f'`{setting}`')
    check_training_numbers(config)
    if config.get('compile'):
        raise ValueError("mmengine's setting `compile` is for train_step as a "
                         "whole, which fails on MMPose's data samples; to "
                         'compile the network use the CompileHook: '
                         'default_hooks.compile.enable=True')
    config.resume = resume is not None or config.get('resume', False)
    if resume is not None:
        config.load_from = None if resume == 'auto' else resume
    if mixed_precision:
        kind = config.optim_wrapper.get('type', 'OptimWrapper')
        on_gpu = get_device() != 'cpu'
        mixed = 'AmpOptimWrapper' if on_gpu else 'BFloat16OptimWrapper'
        if kind not in ('OptimWrapper', mixed):
            raise ValueError('--amp replaces the optimizer wrapper '
                             f"'OptimWrapper', but the config has {kind!r}")
        config.optim_wrapper.type = mixed
        if on_gpu:
            config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if not validate:
        config.val_dataloader = config.val_cfg = config.val_evaluator = None
    if scale_learning_rate:
        if 'base_batch_size' not in (config.get('auto_scale_lr') or {}):
            raise ValueError('--auto-scale-lr needs the batch size that the '
                             'learning rate is for: give the config '
                             'auto_scale_lr = dict(base_batch_size=...)')
        config.auto_scale_lr.enable = True


def set_test_outputs(config: Config,
                     dump: Optional[str],
                     official: Optional[str] = None,
                     official_annotations: Optional[str] = None) -> None:
    """Have every prediction written to files as well.

    Args:
        config: is changed.
        dump: file name ending in ``.pkl`` or ``.pickle``; None writes none.
        official: file name ending in ``.mat``, for MPII's or FLIC's own
            format; None writes none.
        official_annotations: the data set's official ``.mat`` file, by
            default the config's annotation file if it is that.

    Raises:
        FileNotFoundError: if an annotation file is not there.
        ValueError: if the config cannot be tested or a name does not fit.
    """
    for setting in ('test_dataloader', 'test_cfg', 'test_evaluator'):
        if config.get(setting) is None:
            raise ValueError('the config cannot be tested: it has no '
                             f'`{setting}`')
    added: list[dict[str, Any]] = []
    if dump is not None:
        if not dump.endswith(('.pkl', '.pickle')):
            raise ValueError(f'--dump {dump}: the name must end in .pkl or '
                             '.pickle')
        added.append(dict(type='PredictionDump', out_file_path=dump))
    if official is not None:
        if not official.endswith('.mat'):
            raise ValueError(f'--out-official {official}: the name must end '
                             'in .mat')
        dataset = config.test_dataloader.dataset
        if official_annotations is None:
            official_annotations = _official_annotations(dataset)
        added.append(
            dict(
                type='OfficialPredictionFile',
                out_file=official,
                official_file=official_annotations,
                is_train=dataset.get('subset') == 'train'))
    elif official_annotations is not None:
        raise ValueError('--official-annotations is for --out-official')
    if added:
        metrics = config.test_evaluator
        metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
        config.test_evaluator = [*metrics, *added]


def _official_annotations(dataset: dict) -> Optional[str]:
    """The annotation file of a data set's config if it is the official one."""
    path = os.path.join(
        dataset.get('data_root') or '', dataset.get('ann_file') or '')
    if not path.endswith('.mat') or official_data_set(path) is None:
        return None
    return path


def annotation_files(config: Config, phase: str) -> list[str]:
    """The files that a config's data set reads besides images.

    Args:
        config: is left alone.
        phase: ``train``, ``val`` or ``test``.
    """
    loader = config.get(f'{phase}_dataloader')
    dataset = loader.get('dataset') if isinstance(loader, dict) else None
    if not isinstance(dataset, dict):
        return []
    return [
        os.path.join(dataset.get('data_root') or '', dataset[name])
        for name in ('ann_file', 'headbox_file')
        if isinstance(dataset.get(name), str)
    ]


def set_fast_inference(config: Config, dtype: Optional[str]) -> None:
    """Have the network rewritten for speed before the test.

    Args:
        config: is changed.
        dtype: ``float32``, ``bfloat16`` or ``float16``; None changes nothing.

    Raises:
        ValueError: if the config's network is another one.
    """
    if dtype is None:
        return
    check_can_be_fast(config)
    hooks = [
        hook for hook in config.get('custom_hooks') or []
        if hook.get('type') != 'FastInferenceHook'
    ]
    config.custom_hooks = [*hooks, dict(type='FastInferenceHook', dtype=dtype)]


def check_can_be_fast(config: Config) -> None:
    """Raise ValueError if the config's network cannot be rewritten."""
    network = (config.model.get('backbone') or {}).get('type')
    if network != 'StackedHourglass':
        raise ValueError(f'--fast is for a StackedHourglass, but the config '
                         f'has the backbone {network}')


def write_json(path: str, content: Any, indent: Optional[int] = None) -> None:
    """Write JSON; the file appears under its name when it is complete."""
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(content, indent=indent) + '\n')


def _is_detector(config: Config) -> bool:
    return config.get('default_scope') == 'mmdet'


def check_predicts_poses(config: Config) -> None:
    """Raise ValueError if a config is a detector's."""
    if _is_detector(config):
        raise ValueError(
            "the config's model predicts boxes, and this is for poses: "
            'tools/train.py and tools/test.py --show-dir are for both, and '
            "MMDetection's own tools and DetInferencer take the config, too")


def set_pictures(config: Config, arguments: argparse.Namespace) -> None:
    """Draw predictions if ``--show`` or ``--show-dir`` asks for them."""
    if not arguments.show and arguments.show_dir is None:
        return
    out_dir = arguments.show_dir
    if _is_detector(config):
        # MMDetection's hook takes other paths as below the work dir.
        kind, switch = 'DetVisualizationHook', dict(
            draw=True,
            test_out_dir=None if out_dir is None else os.path.abspath(out_dir))
    else:
        kind, switch = 'HourglassVisualizationHook', dict(
            enable=True, out_dir=out_dir)
    hooks = config.setdefault('default_hooks', {})
    hook = hooks.get('visualization') or {}
    if hook.get('type') != kind:
        hook = dict(type=kind)  # replaces MMPose's
    hooks['visualization'] = dict(
        hook,
        interval=arguments.interval,
        show=arguments.show,
        wait_time=arguments.wait_time,
        **switch)


def set_report(config: Config, out_dir: Optional[str],
               facts: dict[str, str]) -> None:
    """Have a page written about the test.

    Args:
        config: is changed.
        out_dir: folder of the page; None writes none.
        facts: what the page says of the test, name -> value.

    Raises:
        ValueError: if the config is a detector's.
    """
    if out_dir is None:
        return
    check_predicts_poses(config)
    hook = dict(type='ReportHook', out_dir=out_dir, facts=facts)
    config.custom_hooks = [*(config.get('custom_hooks') or []), hook]


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


def check_resumable(runner: Runner, path: str) -> None:
    """See that training goes on from a checkpoint, before it starts.

    Args:
        runner: with its training loop built.
        path: the checkpoint; ``auto`` is the latest one in the work dir, if
            there is one.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint of this model's training, or one
            in the middle of an epoch with batches of another size.
    """
    other = None
    if path == 'auto':
        latest = latest_checkpoint(runner.work_dir)
        if latest is None:
            return
        path = runner._load_from = latest
        other = next(
            (name for name in checkpoints_in(runner.work_dir)
             if not os.path.samefile(name, path)), None)
    try:
        checkpoint = read_checkpoint(path)
    except ValueError as error:
        if other is None:
            raise
        raise ValueError(f'{error}; the one before it is there: --resume '
                         f'{other}') from error
    if 'optimizer' not in checkpoint:
        raise ValueError(f'{path} holds weights only, so training cannot go '
                         'on from it; to start from these weights use '
                         f'--cfg-options load_from={path}')
    load_weights(runner.model, checkpoint, path)
    if 'progress' in checkpoint:
        check_progress(runner, checkpoint['progress'],
                       checkpoint['meta']['epoch'])


def start_from_weights(runner: Runner) -> None:
    """Load what the network's ``init_cfg`` names, and look at ``load_from``.

    mmengine does both when training starts, past the place where errors are
    one line, and only warns if nothing in a file fits.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it is not one, or of another network.
    """
    for module in runner.model.modules():
        if isinstance(module, StackedHourglass) and module.init_cfg:
            module.init_weights()
    path = runner._load_from
    if path is None or runner._resume:
        return
    checkpoint = read_checkpoint(path)
    names = {
        name.removeprefix('module.')
        for name in checkpoint.get('state_dict', checkpoint)
    }
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    if not names & set(model.state_dict()):
        raise ValueError(
            f'load_from={path}: none of its {len(names)} names is one of the '
            'model\'s. The weights of a published port go through '
            'tools/convert_checkpoint.py first, or into the config as '
            "backbone.init_cfg=dict(type='Pretrained', checkpoint=...)")


def _list_first(what: str, keys: Sequence[str]) -> str:
    """``3 missing (a, b, ...)``; nothing for no keys."""
    if not keys:
        return ''
    more = ', ...' if len(keys) > 2 else ''
    return f'{len(keys)} {what} ({", ".join(keys[:2])}{more})'


def build_runner(config: Config,
                 launcher: str = 'none',
                 local_rank: Optional[int] = None) -> Runner:
    """Build mmengine's runner, with a first screen that can be read.

    The environment, the whole config and the list of hooks go to the log file
    only.

    Args:
        config: complete, with a work dir.
        launcher: what started the processes.
        local_rank: number of this process on its machine, if the launcher
            says so by argument; most set the variable LOCAL_RANK.

    Raises:
        ValueError: if the processes were not started by the launcher.
    """
    config.launcher = launcher
    rank = os.environ.get('OMPI_COMM_WORLD_LOCAL_RANK', '0')  # mpirun's own
    if local_rank is not None:
        rank = str(local_rank)
    os.environ.setdefault('LOCAL_RANK', rank)
    if launcher != 'none':
        set_up_processes(config)
    if get_device() == 'cuda':
        _pin_memory(config)
    runner = _QuietlyBuiltRunner.from_cfg(config)
    runner.show_log()
    device = next(runner.model.parameters()).device
    runner.logger.info(
        f'hourglass_plugin {__version__}, torch {torch.__version__}, '
        f'{runner.world_size} x {device}. Environment and config: '
        f'{runner.logger.log_file}')
    return runner


def _pin_memory(config: Config) -> None:
    """Have loaders put batches where GPUs fetch them without waiting.

    Not in the configs: without a GPU torch warns of it.
    """
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if loader is not None:
            loader.setdefault('pin_memory', True)


def build_dataset(config: Config, phase: str) -> Dataset:
    """Build a data set whose samples can be drawn.

    Args:
        config: is changed.
        phase: ``train``, ``val`` or ``test``.

    Raises:
        FileNotFoundError: if the annotations are not there.
        ValueError: if the config has no such data set, or is a detector's.
    """
    loader = config.get(f'{phase}_dataloader')
    if loader is None:
        raise ValueError(f'the config has no `{phase}_dataloader`')
    check_predicts_poses(config)
    _keep_what_is_drawn(loader.dataset)
    init_default_scope(config.get('default_scope', 'mmpose'))
    return DATASETS.build(loader.dataset)


def _keep_what_is_drawn(pipeline: Any) -> None:
    """Have MMPose pack the joints' places in the crop, and heatmaps.

    The codec's, though they be drawn on the device in training.

    Args:
        pipeline: config of a pipeline, or of a data set with pipelines at any
            depth; is changed.
    """
    if isinstance(pipeline, dict):
        if pipeline.get('type') == 'PackPoseInputs':
            pipeline['pack_transformed'] = True
        if pipeline.get('encode_on_device'):
            pipeline['encode_on_device'] = False
        pipeline = list(pipeline.values())
    if isinstance(pipeline, (list, tuple)):
        for part in pipeline:
            _keep_what_is_drawn(part)


def build_loops(runner: Runner, *names: str) -> None:
    """Build loops, which reads the annotation files, ahead of their run.

    Args:
        runner: the runner.
        names: ``train``, ``val``, ``test``; what the config has not is left
            out.

    Raises:
        FileNotFoundError: if annotations are not there.
        ValueError: if they cannot be used, lack what a metric needs, do not
            belong to the model, or there is no batch to train on.
    """
    for name in names:
        # mmengine builds it when asked.
        loop = getattr(runner, f'{name}_loop')
        check_runner(runner, name)
        if name == 'train':
            _check_batches(loop.dataloader)
            _check_schedules(runner)
        if getattr(loop, 'evaluator', None) is not None:
            _check_evaluation(loop.evaluator, loop.dataloader.dataset)


def build_optimizer(runner: Runner) -> None:
    """Build the optimizer, ahead of the training.

    mmengine does it when training starts, past the place where errors are one
    line, and keeps one that is there.

    Raises:
        KeyError: if a type is not registered, as mmengine's registries say.
        ValueError: if a setting does not fit.
    """
    wrapper = runner.optim_wrapper
    settings = wrapper.get('optimizer') if isinstance(wrapper, dict) else None
    if isinstance(settings, dict) and isinstance(settings.get('type'), str):
        with OPTIMIZERS.switch_scope_and_registry(None) as registry:
            if registry.get(settings['type']) is None:
                registry.build(settings)  # mmengine's constructor fails on it
    try:
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    except AssertionError as error:
        raise ValueError(f'optim_wrapper: {error}') from error


def _check_batches(loader: DataLoader) -> None:
    """Refuse a training that would end at once, with random weights."""
    dataset: Any = loader.dataset  # Dataset does not say that it is Sized
    if len(loader) == 0:
        raise ValueError(
            'there is no batch to train on: train_dataloader.dataset has '
            f'{len(dataset)} samples, and drop_last=True leaves out '
            'what does not fill a batch: set train_dataloader.drop_last='
            'False, or a smaller batch_size')


def _check_schedules(runner: Runner) -> None:
    """Refuse a schedule that ends in an error before the training does."""
    for scheduler in _schedules(runner.param_schedulers):
        steps = scheduler.get('total_steps')
        if scheduler.get('type') != 'OneCycleLR' or steps is None:
            continue
        is_by_epoch = scheduler.get('by_epoch', True)
        unit = 'epochs' if is_by_epoch else 'iterations'
        length = runner.max_epochs if is_by_epoch else runner.max_iters
        end = min(scheduler.get('end', length), length)
        if end - scheduler.get('begin', 0) > steps:
            raise ValueError(
                f'OneCycleLR in param_scheduler has total_steps={steps}, '
                f'but the training has {length} {unit}: take total_steps '
                'out of the config, it follows from the length')


def _check_evaluation(evaluator: Evaluator, dataset: Dataset) -> None:
    """Find out before a long run whether its predictions can be used.

    People to test have no annotation: they are predicted into an official
    file, but there is nothing to score, and the other metrics are left out.
    """
    for writer in evaluator.metrics:
        if isinstance(writer, OfficialPredictionFile) and (
                not writer.check_people(dataset)):
            evaluator.metrics = [
                metric for metric in evaluator.metrics
                if metric is writer or isinstance(metric, DumpResults)
            ]
            print_log('Nobody here is annotated: there are predictions, but '
                      'no scores', 'current')
    for metric in evaluator.metrics:
        if isinstance(metric, PCKMetric):
            metric.check_dataset(dataset)


def _tells_the_user_something(record: logging.LogRecord) -> bool:
    """False for mmengine's warnings of its own use of itself.

    And for the one of gradients that a checkpoint does not hold, as ours do.
    """
    return not str(record.msg).startswith(
        ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias',
         'Resumed iteration number is not divisible by'))


class _ShortScores(logging.Formatter):
    """mmengine's format with the means only; a table has shown the rest.

    Args:
        formatter: mmengine's.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """The record as one text."""
        text = self._formatter.format(record)
        if not re.search(r'(Epoch|Iter)\((val|test)\)', text):
            return text
        # ``mpii/PCKh@0.5/Head: 81.2``, but not ``mpii/PCKh@0.5: 78.0``.
        return re.sub(
            r'\s+(\S+): \S+', lambda found: found[0]
            if MetricName.parse(found[1]).is_overall else '', text)


def _schedules(schedulers: Any) -> list:
    """The schedules, or their configs, of one optimizer or of several."""
    if schedulers is None:
        return []
    if isinstance(schedulers, dict) and 'type' not in schedulers:
        return [one for own in schedulers.values() for one in _schedules(own)]
    return schedulers if isinstance(schedulers, list) else [schedulers]


class _QuietlyBuiltRunner(Runner):
    """A runner that is silent on the screen until it is built."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build mmengine's logger; on the screen warnings only, for now."""
        logger = super().build_logger(*args, **kwargs)
        self._screens = [(handler, handler.level)
                         for handler in logger.handlers
                         if not isinstance(handler, logging.FileHandler)]
        for handler, level in self._screens:
            handler.setLevel(max(level, logging.WARNING))
            handler.addFilter(_tells_the_user_something)
            handler.setFormatter(_ShortScores(handler.formatter))
        return logger

    def resume(self, *args: Any, **kwargs: Any) -> None:
        """Resume as mmengine, with the checkpoint's seed in the sampler, too.

        mmengine builds that before it takes the seed; augmentation would go
        on with another one. Schedules are the checkpoint's, whatever the
        config says now, which is said.
        """
        before = self._lengths_of_schedules()
        super().resume(*args, **kwargs)
        for name, length in self._lengths_of_schedules().items():
            if length != before.get(name, length):
                self.logger.warning(
                    f'{name} of the learning rate is {length}, as it was when '
                    f'this training began, not {before[name]}: to train '
                    'longer on another schedule start a training from the '
                    'weights, --cfg-options load_from=CHECKPOINT')
        sampler = self.train_dataloader.sampler
        if isinstance(sampler, SeededSampler):
            sampler.seed = self.seed

    def _lengths_of_schedules(self) -> dict[str, int]:
        """Where the schedules of the learning rate end."""
        return {
            f'{type(scheduler).__name__}.{name}': length
            for scheduler in _schedules(self.param_schedulers)
            for name in ('end', 'T_max', 'total_steps', 'total_iters')
            if (length := getattr(scheduler, name, None)) is not None
        }

    def scale_lr(self,
                 optim_wrapper: OptimWrapper,
                 auto_scale_lr: Optional[dict] = None) -> None:
        """Scale the optimizer's rate as mmengine, and OneCycleLR's peak.

        The scheduler replaces the optimizer's rate.
        """
        schedulers = self.param_schedulers or []
        if not isinstance(schedulers, list):
            schedulers = [schedulers]
        before, *_ = optim_wrapper.get_lr().values()
        super().scale_lr(optim_wrapper, auto_scale_lr)
        after, *_ = optim_wrapper.get_lr().values()
        for scheduler in schedulers:
            if after != before and 'eta_max' in scheduler:
                scheduler['eta_max'] *= after[0] / before[0]

    def show_log(self) -> None:
        """From now on show the log on the screen, too."""
        for handler, level in self._screens:
            handler.setLevel(level)
