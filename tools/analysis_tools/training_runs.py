"""Compare training runs and their seeds, from mmengine's own logs.

A run is a work dir: each start of mmengine's runner makes a folder there,
named by the time, in which ``LocalVisBackend`` writes ``vis_data/config.py``
and ``vis_data/scalars.json``, a line of JSON every few iterations and one for
each validation.
"""
import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from hourglass_plugin.evaluation.table import rows_of_logged

#: mmengine's folder of one start of a runner, e.g. ``20261123_061321``.
_START = re.compile(r'\d{8}_\d{6}')
#: Settings that may differ within a group, besides the seed: of the work dir,
#: of logging, and of what is kept.
_NOT_COMPARED = ('work_dir', 'visualizer', 'vis_backends', 'log_level',
                 'log_processor')
_HOOKS_NOT_COMPARED = ('checkpoint', 'config_check', 'invalid_loss', 'malloc',
                       'logger', 'runtime_info', 'timer', 'corrupt_images',
                       'visualization')


class Training(NamedTuple):
    """A training run, read from its log.

    Attributes:
        work_dir: its folder.
        config: as it was run.
        config_name: the config file's name, without suffix.
        seed: None if the config names none.
        scores: epoch -> name -> score of the validation after this epoch.
        seconds: of all training iterations, without validation.
    """

    work_dir: Path
    config: Config
    config_name: str
    seed: int | None
    scores: dict[int, dict[str, float]]
    seconds: float

    @property
    def last(self) -> dict[str, float]:
        """Scores of the last validation."""
        return self.scores[max(self.scores)]


class Spread(NamedTuple):
    """Mean, lowest and highest of several seeds."""

    mean: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Mean, lowest and highest."""
    return Spread(sum(values) / len(values), min(values), max(values))


def find_work_dirs(folders: Iterable[str | Path]) -> list[Path]:
    """Find the work dirs of mmengine's runner.

    Args:
        folders: searched with all folders below.

    Raises:
        FileNotFoundError: if a folder is not there.
        ValueError: if a folder has none.
    """
    found: dict[Path, Path] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise FileNotFoundError(f'there is no folder {folder}')
        work_dirs = {
            path.parent.parent
            for path in folder.rglob('vis_data')
            if _START.fullmatch(path.parent.name)
        }
        if not work_dirs:
            raise ValueError(
                f'there is no training in {folder}: no work dir of '
                'tools/train.py is there or below')
        for work_dir in sorted(work_dirs):
            found.setdefault(work_dir.resolve(), work_dir)
    return list(found.values())


def read_training(work_dir: str | Path) -> Training:
    """Read a work dir.

    A training that was resumed has several logs. What a later one trains
    again counts from there.

    Raises:
        ValueError: if the training is not finished, has no scores, or its
            files are damaged; the message begins with the work dir.
    """
    work_dir = Path(work_dir)
    logs = sorted(
        path for path in work_dir.glob('*/vis_data/scalars.json')
        if _START.fullmatch(path.parents[1].name))
    if not logs:
        raise ValueError(
            f'{work_dir}: no log of a training (vis_data/scalars.json)')
    iterations, scores = _merge([_read_log(path) for path in logs], work_dir)
    config = _read_config(logs[-1].with_name('config.py'))
    epochs = (config.get('train_cfg') or {}).get('max_epochs')
    if epochs is None:
        raise ValueError(f'{work_dir}: its config has no train_cfg.max_epochs')
    trained = iterations[-1][0]
    if trained < epochs:
        raise ValueError(f'{work_dir}: unfinished, in epoch {trained} of '
                         f'{epochs}')
    if epochs not in scores:
        raise ValueError(f'{work_dir}: not validated after its last epoch, '
                         f'{epochs}')
    seconds, before = 0.0, 0
    for _, iteration, time in iterations:
        seconds += time * (iteration - before)
        before = iteration
    # mmengine writes NAME.py whenever it starts.
    written = sorted(
        work_dir.glob('*.py'), key=lambda path: path.stat().st_mtime)
    return Training(work_dir, config,
                    written[-1].stem if written else work_dir.name,
                    (config.get('randomness') or {}).get('seed'), scores,
                    seconds)


def _read_log(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a log, without an incomplete last one."""
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            entry = None
        if isinstance(entry, dict):
            entries.append(entry)
        elif number < len(lines):
            raise ValueError(f'{path.parents[2]}: damaged, line {number} of '
                             f'{path} is no JSON')
    return entries


def _merge(
    logs: Sequence[Sequence[Mapping[str, Any]]], work_dir: Path
) -> tuple[list[tuple[int, int, float]], dict[int, dict[str, float]]]:
    """Merge several starts of a training.

    Returns:
        (epoch, iteration, seconds per iteration up to there) of the lines of
        training, and the scores by epoch.
    """
    iterations: list[tuple[int, int, float]] = []
    scores: dict[int, dict[str, float]] = {}
    for entries in logs:
        has_begun = False
        for entry in entries:
            if 'iter' not in entry:
                # The step of a validation is its epoch or its iteration, as
                # LoggerHook.log_metric_by_epoch says; the epoch is that of
                # the training before it, in an earlier log if the validation
                # was interrupted and made up for.
                if iterations:
                    epoch = iterations[-1][0]
                    scores[epoch] = {
                        name: float(value)
                        for name, value in entry.items() if name not in
                        ('step', 'time', 'data_time', 'memory')
                    }
                continue
            if not {'epoch', 'time'} <= entry.keys():
                raise ValueError(f'{work_dir}: its log has no epochs and '
                                 'times; it was not trained by epochs, or '
                                 'without IterTimerHook')
            if not has_begun:  # or went on
                has_begun = True
                first = entry['epoch']
                iterations = [line for line in iterations if line[0] < first]
                scores = {
                    epoch: scores[epoch]
                    for epoch in scores if epoch < first
                }
            iterations.append((entry['epoch'], entry['iter'], entry['time']))
    if not iterations:
        raise ValueError(f'{work_dir}: unfinished, its log is empty')
    return iterations, scores


def _read_config(path: Path) -> Config:
    """Read the config as it was run, without its custom imports."""
    try:
        return Config.fromfile(str(path), import_custom_modules=False)
    except Exception as error:  # a config is a program and can fail anyhow
        raise ValueError(f'{path.parents[2]}: damaged, {path} cannot be read: '
                         f'{type(error).__name__}: {error}') from error


def read_trainings(
        folders: Iterable[str | Path]) -> tuple[list[Training], list[str]]:
    """Read the finished runs below folders, and why others are not.

    Raises:
        FileNotFoundError: if a folder is not there.
        ValueError: if a folder has no training, or none is finished.
    """
    runs, left_out = [], []
    for work_dir in find_work_dirs(folders):
        try:
            runs.append(read_training(work_dir))
        except ValueError as error:
            left_out.append(str(error))
    if not runs:
        raise ValueError('there is no training to compare: ' +
                         '; '.join(left_out))
    return runs, left_out


def group_trainings(
        runs: Sequence[Training]) -> dict[str, list[Training]]:
    """Group runs that differ in seed and work dir only.

    Returns:
        Name of the group -> its runs by seed. The name is the config's,
        and where several groups have the same one also the folder's, or
        those of its runs, below the folder that all have in common.
    """
    groups: dict[tuple[str, str], list[Training]] = {}
    for training in runs:
        key = training.config_name, _comparable(training.config)
        groups.setdefault(key, []).append(training)
    names = [name for name, _ in groups]
    places = [(name, _common_folder(members))
              for (name, _), members in groups.items()]
    root = _common_folder(runs)
    named = {}
    for (name, folder), members in zip(places, groups.values()):
        if names.count(name) > 1:
            folders = [folder]
            if places.count((name, folder)) > 1:
                folders = [str(member.work_dir) for member in members]
            name += ' in ' + ', '.join(
                os.path.relpath(folder, root) for folder in folders)
        named[name] = sorted(
            members,
            key=lambda member: -1 if member.seed is None else member.seed)
    return named


def _common_folder(runs: Sequence[Training]) -> str:
    """Return the deepest folder with all of these."""
    return os.path.commonpath(
        [training.work_dir.absolute() for training in runs])


def _comparable(config: Config) -> str:
    """Return the settings that must be equal within a group."""
    content = {
        name: value
        for name, value in config.to_dict().items()
        if name not in _NOT_COMPARED
    }
    # Of a resumed training it is where it went on, not where it began.
    if content.pop('resume', False) or content.get('load_from') is None:
        content.pop('load_from', None)
    for part, left_out in (('randomness', ('seed', )), ('default_hooks',
                                                        _HOOKS_NOT_COMPARED)):
        content[part] = {
            name: value
            for name, value in (content.get(part) or {}).items()
            if name not in left_out
        }
    return json.dumps(content, sort_keys=True, default=str)


def default_metrics(scores: Mapping[str, float]) -> list[str]:
    """Return the names of the benchmark's means.

    Args:
        scores: name -> score, as they are logged.

    Returns:
        ``mpii/PCKh@0.5``, ``mpii/PCKh@0.2``, ``mpii/PCKh@0.1`` and
        ``mpii/AUC``, for example; the benchmark's name is the first.
    """
    rows = rows_of_logged(dict(scores))
    return [str(name) for name in rows if name.is_overall]


def check_metrics(groups: Mapping[str, Sequence[Training]],
                  metrics: Sequence[str]) -> None:
    """Raise ValueError if a name is in no log."""
    known: dict[str, float] = {}
    for members in groups.values():
        for member in members:
            known.update(member.last)
    for metric in metrics:
        if metric not in known:
            close = difflib.get_close_matches(metric, known)
            raise ValueError(
                f'no training has the score {metric!r}; there is '
                f'{", ".join(close or default_metrics(known))}')


def last_scores(members: Sequence[Training], metric: str) -> list[float]:
    """Return the last score of each training that has it."""
    return [member.last[metric] for member in members if metric in member.last]


def best_first(groups: Mapping[str, Sequence[Training]],
               metric: str) -> dict[str, Sequence[Training]]:
    """Sort groups by their mean last score; those without it are last."""

    def place(name: str) -> float:
        scores = last_scores(groups[name], metric)
        return spread(scores).mean if scores else float('-inf')

    return {
        name: groups[name]
        for name in sorted(groups, key=place, reverse=True)
    }


def score_curves(groups: Mapping[str, Sequence[Training]],
                 metric: str) -> dict[str, list[dict[int, float]]]:
    """Return epoch -> score for each seed, without groups lacking it."""
    curves = {
        name: [{
            epoch: scores[metric]
            for epoch, scores in member.scores.items() if metric in scores
        } for member in members if metric in member.last]
        for name, members in groups.items()
    }
    return {name: seeds for name, seeds in curves.items() if seeds}
