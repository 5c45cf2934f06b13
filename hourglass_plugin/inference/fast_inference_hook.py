"""Test with a network rewritten for speed."""
from dataclasses import replace

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .optimize import DTYPES, optimize_model


@HOOKS.register_module()
class FastInferenceHook(Hook):
    """Tests with :func:`hourglass_plugin.inference.optimize.optimize_model`.

    The runner has its own model again after the test. Where every stack is
    scored (``test_cfg=dict(eval_all_stacks=True)``) the log gets a table of
    accuracy and time for each of them.

    Args:
        dtype: ``'float32'``, ``'bfloat16'`` or ``'float16'``.

    Raises:
        ValueError: if the dtype is unknown.
    """

    def __init__(self, dtype: str = 'float32') -> None:
        if dtype not in DTYPES:
            raise ValueError(f'dtype={dtype!r} must be in {list(DTYPES)}')
        self.dtype = dtype

    def before_test(self, runner: Runner) -> None:
        """Give the runner the fast model."""
        self._model = model = runner.model
        if is_model_wrapper(model):
            model = model.module
        runner.model = optimize_model(model, DTYPES[self.dtype])
        runner.model.backbone.measures_time = True
        runner.logger.info(f'compiling the network in {self.dtype}')

    def after_test_epoch(self,
                         runner: Runner,
                         metrics: dict[str, float] | None = None) -> None:
        """Log accuracy against time."""
        seconds = runner.model.backbone.seconds_per_image()
        times = [1000 * time for time in seconds]
        if table := accuracy_against_time(metrics or {}, times):
            runner.logger.info(table)

    def after_test(self, runner: Runner) -> None:
        """Give the runner its model back."""
        runner.model = self._model


def accuracy_against_time(metrics: dict[str, float],
                          milliseconds: list[float]) -> str:
    """Return a table of accuracy and time for the first stacks alone.

    Args:
        metrics: logged scores; those of all joints of each stack are used.
        milliseconds: for each stack the time from an image to its end.

    Returns:
        Lines of text; empty without scores of every stack.
    """
    # Its package needs MMPose, this hook must not.
    from ..evaluation.metric_name import MetricName
    columns = {'ms': [f'{time:.1f}' for time in milliseconds]}
    for logged, score in metrics.items():
        name = MetricName.parse(logged)
        overall = replace(name, stack=None)
        if name.stack is not None and overall.is_overall:
            columns.setdefault(str(overall), []).append(f'{score:.2f}')
    if len(columns) == 1 or len(set(map(len, columns.values()))) > 1:
        return ''
    rows = [columns, *zip(*columns.values())]
    lines = ['Scores and time per image of the network up to each stack (the '
             'flip test takes twice the time):']
    for index, row in enumerate(rows):
        cells = ''.join(f'  {cell:>{max(8, len(title))}}'
                        for title, cell in zip(columns, row))
        lines.append((f'stack {index:<2}' if index else ' ' * 8) + cells)
    return '\n'.join(lines)
