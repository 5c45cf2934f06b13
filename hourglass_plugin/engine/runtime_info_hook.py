"""Logged numbers that stay on the device until somebody reads them.

mmengine copies each loss to the host in each iteration, and the norm of the
gradients when they are clipped. Each copy waits until the device has computed
everything before it, so the host cannot prepare the next step meanwhile.
"""
from collections.abc import Sequence
from typing import Any, Callable, Optional, SupportsIndex, Union

import numpy as np
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, stack


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """mmengine's ``RuntimeInfoHook``, but no step waits for the device.

    Losses and the norm of clipped gradients are kept as tensors and copied
    when the message hub's histories are read: for a line of the log, a
    checkpoint or anything else. Logs, histories and checkpoints are the same.
    Only the first iteration of all waits, for mmengine to enter the names.

    For configs' ``default_hooks.runtime_info``. What still waits is float16:
    the loss scale of mmengine's ``AmpOptimWrapper`` depends on the gradients.
    """

    def before_train(self, runner: Runner) -> None:
        """Have the optimizer wrappers record the gradients' norm here."""
        super().before_train(runner)
        wrappers = runner.optim_wrapper
        if not isinstance(wrappers, OptimWrapperDict):
            wrappers = dict(all=wrappers)
        for wrapper in wrappers.values():
            if getattr(wrapper, 'clip_grad_kwargs', None):
                wrapper.clip_func = _recording(wrapper)

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Enter the model's losses into the histories."""
        for name, value in (outputs or {}).items():
            _record(runner.message_hub, f'train/{name}', value)


class DeferredHistory(HistoryBuffer):
    """mmengine's ``HistoryBuffer`` that also takes scalar tensors.

    They are copied to the host, all at once, when the history is read. A copy
    or pickle of it is a plain ``HistoryBuffer``: checkpoints stay mmengine's.
    """

    def __init__(self,
                 log_history: Sequence = (),
                 count_history: Sequence = (),
                 max_length: int = 1_000_000) -> None:
        self._waiting: list[tuple[Tensor, int]] = []
        super().__init__(log_history, count_history, max_length)

    def update(self,
               log_val: Union[int, float, Tensor],
               count: int = 1) -> None:
        """Append a number, or a tensor with one, without waiting for it."""
        if isinstance(log_val, Tensor):
            self._waiting.append((log_val.detach().reshape(()), count))
        else:
            super().update(log_val, count)

    # mmengine's methods read and replace these two arrays.
    @property
    def _log_history(self) -> np.ndarray:
        self._receive()
        return self._values

    @_log_history.setter
    def _log_history(self, values: np.ndarray) -> None:
        self._values = values

    @property
    def _count_history(self) -> np.ndarray:
        self._receive()
        return self._counts

    @_count_history.setter
    def _count_history(self, counts: np.ndarray) -> None:
        self._counts = counts

    def _receive(self) -> None:
        """Copy the waiting tensors to the host."""
        if self._waiting:
            tensors, counts = zip(*self._waiting)
            self._waiting = []
            every_value = np.append(self._values, stack(tensors).tolist())
            every_count = np.append(self._counts, counts)
            self._values = every_value[-self.max_length:]
            self._counts = every_count[-self.max_length:]

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple:
        plain = HistoryBuffer(*self.data, self.max_length)
        return HistoryBuffer, (), plain.__getstate__()


def _record(hub: MessageHub, key: str, value: Any) -> None:
    """``hub.update_scalar(key, value)``, without waiting for a tensor."""
    history = hub.log_scalars.get(key)
    if history is None or not isinstance(value, Tensor):
        hub.update_scalar(key, value)
        return
    if not isinstance(history, DeferredHistory):  # new, or resumed
        values, counts = history.data
        history = DeferredHistory(values, counts, history.max_length)
        hub.log_scalars[key] = history
    history.update(value)


def _recording(wrapper: OptimWrapper) -> Callable[..., None]:
    """A wrapper's ``clip_func`` that records the norm itself.

    mmengine records what ``clip_func`` returns, as a number; nothing here.
    """
    clip = wrapper.clip_func

    def clip_and_record(parameters: list[Tensor], **options: Any) -> None:
        norm = clip(parameters, **options)
        if norm is not None:
            _record(wrapper.message_hub, f'train/{wrapper.grad_name}', norm)

    return clip_and_record
