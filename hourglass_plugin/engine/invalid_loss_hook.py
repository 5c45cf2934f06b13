"""Stop training at a NaN or infinite loss."""
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from ..models.wrapper import without_wrapper
from .latest_checkpoint import latest_checkpoint


@HOOKS.register_module()
class InvalidLossHook(Hook):
    """Stop training at a NaN or infinite loss, before it is saved.

    Parameters are checked with each checkpoint, too, so no NaN or Inf is
    saved. By default each iteration is checked, since mmengine's
    ``RuntimeInfoHook`` waits for its losses anyway.

    Args:
        interval: check every ``interval`` iterations.

    Raises:
        ValueError: if the interval is below 1.
    """

    # Above the hooks that log losses and save checkpoints.
    priority = 'HIGH'

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f'InvalidLossHook: interval={interval} must be '
                             '1 or more')
        self.interval = interval

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Any = None,
                         outputs: dict | None = None) -> None:
        """Check the losses of a batch.

        Raises:
            FloatingPointError: if one is NaN or infinite; names iteration,
                losses, learning rate, image files and checkpoint.
        """
        if not self.every_n_train_iters(runner, self.interval):
            return
        losses = {
            name: value.detach().float().mean()
            for name, value in (outputs or {}).items()
            if 'loss' in name and isinstance(value, Tensor)}
        if not losses or torch.stack(list(losses.values())).isfinite().all():
            return
        groups = runner.optim_wrapper.get_lr().values()
        rates = {f'{rate:g}' for group in groups for rate in group}
        values = ', '.join(f'{name} {x:g}' for name, x in losses.items())
        samples = data_batch.get('data_samples', ()) if isinstance(
            data_batch, dict) else ()
        files = [str(getattr(x, 'img_path', 'unknown')) for x in samples]
        raise FloatingPointError(
            f'the loss is NaN or infinite in iteration {runner.iter + 1} '
            f'(epoch {runner.epoch + 1}, batch {batch_idx + 1}): {values}; '
            f'learning rate {", ".join(sorted(rates))}; image files: '
            f'{", ".join(files) or "unknown"}. {_advice(runner)}')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the parameters that are about to be saved.

        Raises:
            FloatingPointError: if one is NaN or infinite.
        """
        model = without_wrapper(runner.model)
        for name, _ in model.named_parameters():
            if not checkpoint['state_dict'][name].isfinite().all():
                raise FloatingPointError(
                    f'the parameters {name} are NaN or infinite after '
                    f'{runner.iter} iterations. {_advice(runner)}')


def _advice(runner: Runner) -> str:
    path = latest_checkpoint(runner.work_dir)
    return ((f'--resume continues from {path}' if path else
             'There is no checkpoint to resume from yet') +
            '. Check the image files; lower the learning rate, or set '
            'optim_wrapper.clip_grad=dict(max_norm=1)')
