"""Configs of commands: read, checked, changed by options alone.

Wrong input raises ValueError or FileNotFoundError with one line that names
it.
"""
import argparse
import difflib
import inspect
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ..atomic_files import atomic_file
from ..compat.process import prepare_process

#: Settings of a config that mmengine's runner reads itself.
_RUNNER_SETTINGS = set(inspect.signature(Runner).parameters) | {
    'activation_checkpointing', 'compile', 'custom_imports',
    'find_unused_parameters', 'model_wrapper_cfg', 'sync_bn'}


def load_config(path: str, options: Sequence[str] = ()) -> Config:
    """Read a config and replace settings in it.

    The first thing that a command does: it prepares the process, too
    (:func:`hourglass_plugin.compat.process.prepare_process`).

    Args:
        path: config file.
        options: ``key=value`` as in mmengine's ``--cfg-options``. The setting
            itself may be new; its parent must be in the config, or an
            argument of the class that the parent's parent configures.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if MMPose does not import.
        ValueError: if the file is not a config of a model, has a mistyped
            setting of the runner, or an option does not fit it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no config {path}')
    prepare_process()
    try:
        config = Config.fromfile(path)
    except Exception as error:  # a config is a program: any error
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
    """Refuse a name that is almost, but not quite, a setting of the runner.

    Any other name may be a variable of the config, and so may one that begins
    with a setting's name, such as ``model_width``.
    """
    known = sorted(_RUNNER_SETTINGS)
    for name in config:
        close = difflib.get_close_matches(name, known, 1, cutoff=0.85)
        if close and not name.startswith(tuple(known)):
            raise ValueError(f'{path}: unknown setting {name!r}; did you mean '
                             f'{close[0]!r}? Name variables of your own '
                             'otherwise')


def _parse_options(options: Sequence[str]) -> dict[str, Any]:
    """Parse ``['a.b=1']`` to ``{'a.b': 1}``, by mmengine's rules."""
    for option in options:
        if option.find('=') < 1:
            raise ValueError(f'--cfg-options {option}: write key=value')
    parser = argparse.ArgumentParser()
    parser.add_argument('options', nargs='*', action=DictAction, default={})
    try:
        return parser.parse_args(['--', *options]).options
    except AssertionError as error:
        raise ValueError(f'--cfg-options: {error}') from error


def _check_option(config: Config, key: str) -> None:
    """Raise ValueError if a setting's parent is not in the config.

    mmengine would add it, and a mistyped key would do nothing.
    """
    node: Any = config
    *parents, last = key.split('.')
    for depth, name in enumerate([*parents, last]):
        place = '.'.join(parents[:depth])
        is_list = isinstance(node, (list, tuple))
        if is_list:
            node = {str(index): value for index, value in enumerate(node)}
        elif not hasattr(node, 'keys'):
            raise ValueError(f'--cfg-options {key}: {place} is {node!r} and '
                             'has no settings')
        if name not in node:
            is_new_allowed = name in _RUNNER_SETTINGS if depth == 0 else (
                not is_list and (depth == len(parents) or last == 'type'
                                 or name in _arguments(node, place)))
            if is_new_allowed:
                return
            known = [*node, *([] if parents[:depth] else _RUNNER_SETTINGS)]
            close = difflib.get_close_matches(name, known, 1)
            hint = f'did you mean {close[0]!r}?' if close else (
                f'there is {", ".join(sorted(known))}')
            raise ValueError(f'--cfg-options {key}: the config has no '
                             f'{".".join([*parents[:depth], name])!r}; {hint}')
        node = node[name]


def require_checkpoint(path: str) -> None:
    """Raise FileNotFoundError if a path, not an address, leads nowhere."""
    if '://' not in path and not os.path.isfile(os.path.expanduser(path)):
        raise FileNotFoundError(f'there is no checkpoint {path}')


def _arguments(settings: Any, place: str) -> set[str]:
    """Return the arguments of the class that a group of settings is for."""
    kind = str(settings.get('type', '')).rpartition('.')[2]
    classes: list[Any] = [DataLoader] if place.endswith('_dataloader') else []
    arguments = {'paramwise_cfg', 'constructor'} if (
        place == 'optim_wrapper') else set()
    for scope in ('mmengine', 'mmdet', 'mmpose'):
        module = sys.modules.get(f'{scope}.registry')
        for registry in vars(module).values() if kind and module else ():
            if isinstance(registry, Registry):
                registry.import_from_location()
                classes.append(registry.module_dict.get(kind))
    for cls in filter(inspect.isclass, classes):
        for base in cls.__mro__[:-1]:
            if '__init__' in vars(base):
                arguments |= set(
                    inspect.signature(vars(base)['__init__']).parameters)
    return arguments


def require_settings(config: Config, use: str, *names: str) -> None:
    """Raise ValueError if a config lacks a setting that a use needs."""
    for name in names:
        if config.get(name) is None:
            raise ValueError(f'the config cannot be {use}: it has no '
                             f'`{name}`; add it, as the configs of this '
                             'package do')


def set_work_dir(config: Config, work_dir: str | None, path: str) -> None:
    """Choose the folder of logs and checkpoints as MMPose does.

    The argument, else the config's, else ``work_dirs/<name of the config>``.
    """
    config.work_dir = work_dir or config.get('work_dir') or os.path.join(
        'work_dirs', Path(path).stem)


def set_visualization(config: Config, args: argparse.Namespace) -> None:
    """Draw predictions if ``--show`` or ``--show-dir`` asks for it.

    Args:
        config: is changed.
        args: those of ``add_runner_arguments``.
    """
    if not args.show and args.show_dir is None:
        return
    if config.get('default_scope') == 'mmdet':
        # MMDetection's hook takes other paths as below the work dir.
        out_dir = args.show_dir and os.path.abspath(args.show_dir)
        switch = dict(
            type='DetVisualizationHook', draw=True, test_out_dir=out_dir)
    else:
        switch = dict(type='HourglassVisualizationHook', enable=True,
                      out_dir=args.show_dir)
    hooks = config.setdefault('default_hooks', {})
    hook = hooks.get('visualization') or {}
    if hook.get('type') != switch['type']:
        hook = {}  # replaces MMPose's
    hooks['visualization'] = dict(
        hook, **switch, interval=args.interval, show=args.show,
        wait_time=args.wait_time)


def annotation_files(config: Config) -> list[str]:
    """Return the files besides images that a config's test set reads."""
    dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
    return [os.path.join(dataset.get('data_root') or '', dataset[name])
            for name in ('ann_file', 'headbox_file')
            if isinstance(dataset.get(name), str)]


def write_json(path: str, content: Any, indent: int | None = None) -> None:
    """Write JSON; the file appears under its name when it is complete."""
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(content, indent=indent) + '\n')
