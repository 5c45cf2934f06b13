"""The end of a training: its best weights, its curves, its last lines."""
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..atomic_files import atomic_file
from ..evaluation.table import format_table, rows_of_logged
from .curves import COLORS


@HOOKS.register_module()
class TrainingSummaryHook(Hook):
    """Keeps ``best.pth`` and ``curves.png``; logs the best scores at the end.

    ``best.pth`` is a copy of the checkpoint of ``save_best``. Curves are those
    of all runs in the work dir, so that a resumed training has whole ones.

    Args:
        monitor: name of the score that is best at its highest, such as
            ``lsp/BoxPCK_AUC``.
        out_dir: folder of the two files; default: the work dir.
    """

    # After the hook that saves checkpoints.
    priority = 'LOWEST'

    def __init__(self, monitor: str, out_dir: str | None = None) -> None:
        self.monitor = monitor
        self.out_dir = out_dir
        self._copied: tuple[str, int] | None = None
        self._scores: dict[int, dict[str, float]] = {}

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: dict[str, float] | None = None) -> None:
        """Copy the best checkpoint, and draw."""
        if not is_main_process():
            return
        out = Path(self.out_dir or runner.work_dir)
        best = runner.message_hub.runtime_info.get('best_ckpt')
        if best is not None and Path(best).is_file():
            state = best, Path(best).stat().st_mtime_ns
            if state != self._copied:
                with atomic_file(out / 'best.pth') as partial:
                    shutil.copyfile(best, partial)
            self._copied = state
        self._scores[runner.epoch] = dict(metrics or {})
        losses, scores = read_logs(runner.work_dir, self.monitor)
        scores[runner.iter] = (metrics or {}).get(self.monitor, float('nan'))
        with atomic_file(out / 'curves.png') as partial:
            plot_training(losses, scores, self.monitor).savefig(partial)

    def after_train(self, runner: Runner) -> None:
        """Log the best epoch's table and the next command."""
        scored = {epoch: scores for epoch, scores in self._scores.items()
                  if self.monitor in scores}
        if not scored:
            return
        epoch = max(scored, key=lambda epoch: scored[epoch][self.monitor])
        prefix = self.monitor.partition('/')[0] + '/'
        rows = rows_of_logged({
            name: score for name, score in scored[epoch].items()
            if name.startswith(prefix)})
        out = Path(self.out_dir or runner.work_dir)
        config = runner.cfg.filename or 'CONFIG'
        runner.logger.info(
            f'Epoch {epoch} has the best {self.monitor}:\n'
            f'{format_table(rows)}\n{out / "best.pth"} has its weights, '
            f'{out / "curves.png"} the course. Next:\nhourglass predict '
            f'IMAGES_OR_VIDEO {config} {out / "best.pth"}')


def read_logs(work_dir: str, score: str) -> tuple[dict[str, dict[int, float]],
                                                  dict[int, float]]:
    """Read mmengine's logs of all runs in a work dir, by iteration.

    Returns each loss, and the score if ``log_metric_by_epoch=False``.
    """
    losses: dict[str, dict[int, float]] = {}
    scores: dict[int, float] = {}
    for file in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        for line in file.read_text('utf-8').splitlines():
            record: dict[str, Any] = json.loads(line)
            if score in record:
                scores[record['step']] = record[score]
            for name, value in record.items():
                if name.startswith('loss') and 'epoch' in record:
                    losses.setdefault(name, {})[record['step']] = value
    return losses, scores


def plot_training(losses: dict[str, dict[int, float]],
                  scores: dict[int, float], name: str) -> Figure:
    """Plot losses and a score against the iteration, in two axes."""
    figure = Figure(figsize=(10, 4), dpi=120, layout='constrained')
    left, right = figure.subplots(1, 2)
    curves: Sequence = [(left, *each) for each in losses.items()]
    for index, (axes, label, values) in enumerate(
            [*curves, (right, name, scores)]):
        steps = sorted(values)
        axes.plot(steps, [values[step] for step in steps], marker='.',
                  label=label, color=COLORS[index % len(COLORS)])
    left.set(title='training loss', xlabel='iteration', yscale='log')
    right.set(title='validation', xlabel='iteration', ylabel=name)
    for axes in (left, right) if losses else (right, ):
        axes.grid(color='0.88')
        for text in axes.legend().get_texts():
            text.set_parse_math(False)  # a name may have dollar signs
    return figure
