"""Training curves in TensorBoard."""
import re
from collections.abc import Mapping
from typing import Any

from mmengine.registry import VISBACKENDS
from mmengine.visualization import LocalVisBackend, TensorboardVisBackend

from ..evaluation.table import ABLATION, ALL_JOINTS, rows_of_logged


@VISBACKENDS.register_module()
class LocalTensorboardVisBackend(TensorboardVisBackend):
    """mmengine's TensorBoard and local backends, with tags in sections.

    Sections: ``loss``, ``training``, ``validation``, and one for each row of
    the table, ``lsp stack_1 PCK@0.2``, with a curve for each joint. "Custom
    scalars" has charts of loss and score by stack, and of the score by joint.
    """

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir)
        self._local = LocalVisBackend(save_dir)
        self._has_charts = False

    def add_config(self, config: Any, **kwargs: Any) -> None:
        """Write the config."""
        super().add_config(config, **kwargs)
        self._local.add_config(config, **kwargs)

    def add_scalars(self, scalar_dict: dict, step: int = 0,
                    file_path: str | None = None, **kwargs: Any) -> None:
        """Write a log line of training or validation."""
        self._local.add_scalars(dict(scalar_dict), step, file_path, **kwargs)
        super().add_scalars(scalar_tags(scalar_dict), step)
        charts = {} if self._has_charts else benchmark_charts(scalar_dict)
        if charts:
            self.experiment.add_custom_scalars({'training curves': charts})
            self._has_charts = True


def scalar_tags(scalars: Mapping[str, float]) -> dict[str, float]:
    """Return TensorBoard's tags for a log line; training has an ``iter``."""
    section = 'training' if 'iter' in scalars else 'validation'
    scores, tags = {}, {}
    for name, value in scalars.items():
        if name == 'loss':
            tags['loss/total'] = value
        elif 'loss' in name:
            tags[f'loss/{name.removeprefix("loss_")}'] = value
        elif section == 'training' or '/' not in name:
            tags[f'{section}/{name}'] = value
        else:
            scores[name] = value
    for row_name, row in rows_of_logged(scores).items():
        title = str(row_name).replace('/', ' ')
        tags.update({f'{title}/{column}': score
                     for column, score in row.items()}
                    if len(row) > 1 else {str(row_name): row['Mean']})
    for name in ('iter', 'step'):
        tags.pop(f'{section}/{name}', None)
    return tags


def benchmark_charts(scalars: Mapping[str, float]) -> dict[str, list]:
    """Return charts of the table's first row, for ``add_custom_scalars``."""
    rows = rows_of_logged({k: v for k, v in scalars.items() if '/' in k})
    name = next((name for name, row in rows.items() if len(row) > 1), None)
    if name is None:
        return {}
    title = str(name).replace('/', ' ')
    joints = '|'.join(re.escape(column) for column in rows[name]
                      if column not in ('Mean', ALL_JOINTS, ABLATION))
    stacks = rf'{re.escape(name.dataset)} stack_\d+ {re.escape(name.metric)}'
    return {
        'loss by stack': ['Multiline', [r'loss/stack_\d+$']],
        f'{title} by joint': ['Multiline',
                              [f'{re.escape(title)}/({joints})$']],
        f'{title} by stack': ['Multiline', [f'{stacks}/Mean$']],
    }
