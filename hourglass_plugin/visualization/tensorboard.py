"""Training curves in TensorBoard."""
import re
from collections.abc import Mapping
from typing import Any, Optional

from mmengine.registry import VISBACKENDS
from mmengine.visualization import LocalVisBackend
from mmengine.visualization.vis_backend import force_init_env

from ..evaluation.table import ABLATION, ALL_JOINTS, rows_of_logged


@VISBACKENDS.register_module()
class LocalTensorboardVisBackend(LocalVisBackend):
    """mmengine's ``LocalVisBackend`` that also writes for TensorBoard.

    mmengine's ``TensorboardVisBackend`` writes every name of the log as it
    is: each loss is a section of its own, all scores of a data set are in
    one, and times of training and validation are one curve. Here the page has
    sections:

    - ``loss``: ``total``, ``stack_1`` and so on;
    - one for each row of the validation's table, ``lsp PCK@0.2`` or ``lsp
      stack_1 PCK@0.2``, with a curve for each joint and their ``Mean``;
    - ``training`` (learning rate, epoch, times) and ``validation`` (times).

    The tab "Custom scalars" has the loss by stack, and the benchmark's score
    by joint and by stack, in one chart each. Steps are those of mmengine's
    ``LoggerHook``: iterations for everything if it has
    ``log_metric_by_epoch=False``, as in our configs.

    Args:
        save_dir: folder of the files; mmengine's visualizer gives it.
        **options: those of ``LocalVisBackend``.
    """

    def __init__(self, save_dir: str, **options: Any) -> None:
        super().__init__(save_dir, **options)
        self._has_charts = False

    def _init_env(self) -> None:
        super()._init_env()
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ModuleNotFoundError(
                f'{type(self).__name__} needs TensorBoard: pip install '
                f'tensorboard ({error})') from error
        self._writer = SummaryWriter(self._save_dir)

    @force_init_env
    def add_scalars(self,
                    scalar_dict: dict,
                    step: int = 0,
                    file_path: Optional[str] = None,
                    **kwargs: Any) -> None:
        """Write a line of the log, of training or of a validation."""
        super().add_scalars(scalar_dict, step, file_path, **kwargs)
        if 'iter' in scalar_dict:
            tags = training_tags(scalar_dict)
        else:
            tags = validation_tags(scalar_dict)
            charts = {} if self._has_charts else benchmark_charts(scalar_dict)
            if charts:
                self._writer.add_custom_scalars({'training curves': charts})
                self._has_charts = True
        for tag, value in tags.items():
            self._writer.add_scalar(tag, value, step)

    def close(self) -> None:
        """Complete the file."""
        if self._env_initialized:
            self._writer.close()


def training_tags(scalars: Mapping[str, float]) -> dict[str, float]:
    """What a line of training is called in TensorBoard.

    Args:
        scalars: by the log's names.

    Returns:
        ``loss/total``, ``loss/stack_1``, ``training/lr`` and so on.
    """
    tags = {}
    for name, value in scalars.items():
        if name == 'loss':
            tags['loss/total'] = value
        elif 'loss' in name:
            tags[f'loss/{name.removeprefix("loss_")}'] = value
        elif name not in ('iter', 'step'):
            tags[f'training/{name}'] = value
    return tags


def validation_tags(scalars: Mapping[str, float]) -> dict[str, float]:
    """What the scores of a validation are called in TensorBoard.

    Args:
        scalars: by the log's names.

    Returns:
        ``lsp PCK@0.2/Head`` and so on to ``/Mean``; a score without columns,
        such as ``coco/AP``, keeps its name.
    """
    scores, tags = {}, {}
    for name, value in scalars.items():
        if name in ('time', 'data_time'):
            tags[f'validation/{name}'] = value
        elif name != 'step':
            scores[name] = value
    for row_name, row in rows_of_logged(scores).items():
        label = str(row_name)
        if len(row) == 1:
            tags[label] = scores[label]
        else:
            section = label.replace('/', ' ')
            tags.update(
                {f'{section}/{column}': row[column]
                 for column in row})
    return tags


def benchmark_charts(scalars: Mapping[str, float]) -> dict[str, list]:
    """Charts with several curves, of the table's first row.

    Args:
        scalars: of a validation, by the log's names.

    Returns:
        Title -> kind and patterns of tags, as ``add_custom_scalars`` has it;
        none for scores without columns.
    """
    rows = rows_of_logged(dict(scalars))
    label = next((label for label, row in rows.items() if len(row) > 1), None)
    if label is None:
        return {}
    section = str(label).replace('/', ' ')
    joints = '|'.join(
        map(re.escape, [
            column for column in rows[label]
            if column not in ('Mean', ALL_JOINTS, ABLATION)
        ]))
    charts = {
        'loss by stack': [r'loss/stack_\d+$'],
        f'{section} by joint': [f'{re.escape(section)}/({joints})$'],
        f'{section} by stack':
        [
            rf'{re.escape(label.dataset)} stack_\d+ '
            rf'{re.escape(label.metric)}/Mean$'
        ],
    }
    return {name: ['Multiline', tags] for name, tags in charts.items()}
