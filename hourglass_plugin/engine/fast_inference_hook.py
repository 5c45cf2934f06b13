"""Testing with a network rewritten for speed."""
from dataclasses import replace
from typing import Optional

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..inference.optimize import optimize_model

DTYPES = {
    'float32': torch.float32,
    'bfloat16': torch.bfloat16,
    'float16': torch.float16,
}


@HOOKS.register_module()
class FastInferenceHook(Hook):
    """Tests with :func:`hourglass_plugin.inference.optimize.optimize_model`.

    The runner's own model is restored after the test. Where every stack is
    scored (``test_cfg=dict(eval_all_stacks=True)``) the log gets a table of
    score and time after each stack.

    Args:
        dtype: ``'float32'``, ``'bfloat16'`` or ``'float16'``.

    Raises:
        ValueError: if the dtype is unknown.
    """

    def __init__(self, dtype: str = 'float32') -> None:
        if dtype not in DTYPES:
            raise ValueError(f'dtype={dtype!r} is unknown; choose from '
                             f'{", ".join(DTYPES)}')
        self.dtype = dtype

    def before_test(self, runner: Runner) -> None:
        """Put the fast model into the runner."""
        self._model = model = runner.model
        if is_model_wrapper(model):
            model = model.module
        runner.model = optimize_model(model, DTYPES[self.dtype])
        runner.model.backbone.measures_time = True
        runner.logger.info('The network is rewritten for speed in '
                           f'{self.dtype}; compiling it takes a while')

    def after_test_epoch(self,
                         runner: Runner,
                         metrics: Optional[dict[str, float]] = None) -> None:
        """Log accuracy against time."""
        table = accuracy_against_time(
            metrics or {}, [
                1000 * seconds
                for seconds in runner.model.backbone.seconds_per_image()
            ])
        if table:
            runner.logger.info(table)

    def after_test(self, runner: Runner) -> None:
        """Give the runner its model back."""
        runner.model = self._model


def accuracy_against_time(metrics: dict[str, float],
                          milliseconds: list[float]) -> str:
    """A table of what stopping after each stack gives and costs.

    Args:
        metrics: logged scores; ``<data set>/stack_<i>/<score>`` are used.
        milliseconds: for each stack the time from an image to its end.

    Returns:
        Lines of text; none if there are no scores of stacks.
    """
    # Its package needs MMPose, this one must not.
    from ..evaluation.metric_name import MetricName
    scores: dict[str, list[str]] = {}  # by name, one for each stack
    for logged, score in metrics.items():
        name = MetricName.parse(logged)
        overall = replace(name, stack=None)
        if name.stack is not None and name.stack <= len(
                milliseconds) and overall.is_overall:
            scores.setdefault(str(overall), []).append(f'{score:.2f}')
    if not scores or any(
            len(column) != len(milliseconds) for column in scores.values()):
        return ''
    columns = {'ms': [f'{time:.1f}' for time in milliseconds], **scores}
    lines = [
        'What stopping after a stack gives, and costs for each image (the '
        'flip test runs two):', ' ' * 8 + ''.join(
            f'  {title:>8}' for title in columns)
    ]
    for index, row in enumerate(zip(*columns.values()), start=1):
        cells = ''.join(f'  {cell:>{max(8, len(title))}}'
                        for title, cell in zip(columns, row))
        lines.append(f'stack {index:<2}{cells}')
    return '\n'.join(lines)
