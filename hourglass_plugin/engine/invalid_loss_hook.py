"""NaN and infinity end a training before they reach a checkpoint."""
from collections.abc import Sequence
from typing import Any, Optional

import torch
from mmengine.dist import all_reduce, is_distributed
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from .delayed_flags import DelayedFlags
from .latest_checkpoint import latest_checkpoint


@HOOKS.register_module()
class InvalidLossHook(Hook):
    """Stops training at a loss or gradient that is NaN or infinite.

    With FloatingPointError, which names the iteration, the learning rate, the
    losses, the files of the batch and the checkpoint to go on from.

    By default no step waits: the device says in each iteration whether its
    numbers are finite, and is heard at once on a processor, four iterations
    later on a GPU. Meanwhile the weights may be spoiled, but nothing of them
    is kept: before an evaluation and before a checkpoint every answer is
    waited for, and a checkpoint's weights are looked at themselves.

    With ``max_skipped`` the optimizer leaves such a step out, exactly: weights
    and its own state stay as they are, and so do the running statistics.
    Only iterations and schedules go on. For that each step waits for the
    device. Count and limit hold for the whole training, also when resumed.

    mmengine's ``AmpOptimWrapper`` skips steps itself while its loss scale
    adapts, which is no fault; with it only losses are looked at.

    Args:
        max_skipped: how many steps may be left out.

    Raises:
        ValueError: if it is negative.
    """

    priority = 'HIGH'

    def __init__(self, max_skipped: int = 0) -> None:
        if max_skipped < 0:
            raise ValueError(f'max_skipped={max_skipped} must be 0 or more')
        self.max_skipped = max_skipped
        self._flags = DelayedFlags()
        self._handles: list[Any] = []
        self._is_loss_finite: Optional[Tensor] = None
        self._are_gradients_finite: Optional[Tensor] = None
        self._is_step_finite: Optional[Tensor] = None
        self._is_skipped = False
        self._buffers: list[tuple[Tensor, Tensor]] = []
        # The first iteration that spoiled the step that is being prepared.
        self._culprit: Optional[dict] = None

    def before_train(self, runner: Runner) -> None:
        """Look at every loss and gradient from now on."""
        self.after_train(runner)
        wrappers = runner.optim_wrapper
        if not isinstance(wrappers, OptimWrapperDict):
            wrappers = dict(all=wrappers)
        for wrapper in wrappers.values():
            self._look_at_losses(wrapper)
            if not isinstance(wrapper, AmpOptimWrapper):
                self._handles.append(
                    wrapper.optimizer.register_step_pre_hook(
                        self._before_step))

    def after_train(self, runner: Runner) -> None:
        """Look no more."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: Any = None) -> None:
        """Keep the running statistics if the step may be left out."""
        self._is_loss_finite = self._are_gradients_finite = None
        self._is_skipped = False
        if self.max_skipped:
            self._buffers = [(buffer, buffer.clone())
                             for buffer in runner.model.buffers()]

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Hear of this iteration or of earlier ones."""
        meaning = dict(
            iteration=runner.iter + 1,
            epoch=runner.epoch + 1,
            batch=batch_idx + 1,
            rates=runner.optim_wrapper.get_lr(),
            losses={
                name: value.detach()
                for name, value in (outputs or {}).items()
                if isinstance(value, Tensor) and 'loss' in name
            },
            # What is logged is of all processes.
            is_loss_finite=self._is_loss_finite,
            gradients=self._are_gradients_finite,
            files=_files(data_batch))
        flag = _both(self._is_loss_finite, self._are_gradients_finite)
        if flag is None:
            return
        if self.max_skipped:
            self._skip(runner, bool(flag), meaning)
        else:
            self._flags.add(flag, meaning)
            self._hear(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Hear of every iteration, before evaluations and checkpoints."""
        self._hear(runner, every=True)

    def before_val_epoch(self, runner: Runner) -> None:
        """Hear of every iteration; in loops without epochs."""
        self._hear(runner, every=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Let no weights be saved that are not finite.

        Raises:
            FloatingPointError: if they are not.
        """
        self._hear(runner, every=True)
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        for name, _ in model.named_parameters():
            if not torch.isfinite(checkpoint['state_dict'][name]).all():
                raise FloatingPointError(
                    f'weights of {name} are not finite after '
                    f'{runner.iter} iterations, though losses and gradients '
                    f'were. {_way_out(runner)}')

    def _look_at_losses(self, wrapper: OptimWrapper) -> None:
        if hasattr(wrapper.update_params, 'update'):  # trained before
            wrapper.update_params = wrapper.update_params.update
        update = wrapper.update_params

        def look_and_update(loss: Tensor, *args: Any, **options: Any) -> None:
            finite = torch.isfinite(loss.detach()).all()
            self._is_loss_finite = _both(self._is_loss_finite, finite)
            self._is_step_finite = _both(self._is_step_finite, finite)
            update(loss, *args, **options)

        look_and_update.update = update  # type: ignore[attr-defined]
        wrapper.update_params = look_and_update

    def _before_step(self, optimizer: torch.optim.Optimizer, args: tuple,
                     options: dict) -> None:
        parameters = [
            parameter for group in optimizer.param_groups
            for parameter in group['params'] if parameter.grad is not None
        ]
        if not parameters:
            return
        finite = _are_finite([x.grad for x in parameters])
        self._are_gradients_finite = _both(self._are_gradients_finite, finite)
        if self._is_step_finite is not None:
            finite = finite & self._is_step_finite
        self._is_step_finite = None
        if not self.max_skipped:
            return
        if is_distributed():  # a loss is of one process, the step of all
            everywhere = finite.float()
            all_reduce(everywhere, 'min')
            finite = everywhere > 0
        if not finite:
            self._is_skipped = True
            for parameter in parameters:
                parameter.grad = None  # what optimizers leave out

    def _skip(self, runner: Runner, is_finite: bool, meaning: dict) -> None:
        """Undo the rest of a step that was left out."""
        if not is_finite or self._is_skipped:
            for buffer, value in self._buffers:
                buffer.copy_(value)
        if not is_finite and self._culprit is None:
            self._culprit = meaning
        wrapper = runner.optim_wrapper
        is_scaled = isinstance(wrapper, AmpOptimWrapper)
        if not self._is_skipped and (is_finite or not is_scaled):
            return  # or the rest of the accumulated step is still to come
        hub = runner.message_hub
        count = (hub.get_info('skipped_steps') or 0) + 1
        meaning, self._culprit = self._culprit or meaning, None
        if count > self.max_skipped:
            raise FloatingPointError(
                f'{_described(meaning)}; max_skipped={self.max_skipped} '
                f'such steps were left out before. {_way_out(runner)}')
        hub.update_info('skipped_steps', count)
        runner.logger.warning(f'{_described(meaning)}; the step is left out, '
                              f'{count} of at most {self.max_skipped}')

    def _hear(self, runner: Runner, every: bool = False) -> None:
        for is_finite, meaning in self._flags.read(every):
            if not is_finite:
                raise FloatingPointError(
                    f'{_described(meaning)}. {_way_out(runner)}')


def _both(one: Optional[Tensor], other: Optional[Tensor]) -> Optional[Tensor]:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _are_finite(tensors: Sequence[Tensor]) -> Tensor:
    """Whether every number is finite, in few kernels and without waiting."""
    # A norm is as torch's clip_grad_norm_ computes it; the largest number
    # cannot overflow as a sum of squares can.
    norms = torch._foreach_norm(list(tensors), float('inf'))
    return torch.isfinite(torch.stack(norms)).all()


def _files(batch: Any) -> list[str]:
    """Names of the images in a batch."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    found = []
    for sample in samples or []:
        name = getattr(sample, 'img_path', None)
        found.append(str(name or getattr(sample, 'img_id', 'unknown')))
    return found


def _described(meaning: dict) -> str:
    rates = sorted({rate for group in meaning['rates'].values()
                    for rate in group})
    losses = {
        name: value.tolist()
        for name, value in meaning['losses'].items()
    }
    gradients = ''
    if meaning['gradients'] is not None and not meaning['gradients']:
        gradients = ', gradients not finite'
        if meaning['is_loss_finite']:
            gradients += (
                " (in several processes the cause may be in another's batch)")
    return (
        f'iteration {meaning["iteration"]} (epoch {meaning["epoch"]}, batch '
        f'{meaning["batch"]}) has numbers that are not finite: learning rate '
        f'{", ".join(f"{rate:g}" for rate in rates)}; ' +
        ', '.join(f'{name} {value:g}' for name, value in losses.items()) +
        gradients + '; files of the batch: ' +
        (', '.join(meaning['files']) or 'unknown'))


def _way_out(runner: Runner) -> str:
    path = latest_checkpoint(runner.work_dir)
    last = (f'The last good checkpoint is {path}, and --resume goes on from '
            'it' if path else 'There is no checkpoint yet')
    return (f'{last}. Look at the files; clip_grad=dict(max_norm=1) in the '
            "config's optim_wrapper bounds gradients, and --cfg-options "
            'default_hooks.finite_numbers.max_skipped=10 leaves up to 10 such '
            'steps out')
