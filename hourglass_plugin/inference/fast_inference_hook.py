"""Tests with an accelerated network."""
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .engines import CALIBRATION_SIZE, accelerate_model, check_precision


@HOOKS.register_module()
class FastInferenceHook(Hook):
    """Test with :func:`hourglass_plugin.inference.engines.accelerate_model`.

    The runner has its own model again after the test. On GPUs the network is
    compiled by ``torch.compile``, in float32 only.

    Args:
        precision: ``'float32'``, ``'int8'`` or ``'bfloat16'``. int8 measures
            its ranges on the first images of the test set.

    Raises:
        ValueError: if this machine cannot compute in the precision.
    """

    def __init__(self, precision: str = 'float32') -> None:
        check_precision(precision, get_device())
        self.precision = precision

    def before_test(self, runner: Runner) -> None:
        """Give the runner the fast model."""
        self._model = model = runner.model
        if is_model_wrapper(model):
            model = model.module
        images: list = []
        if self.precision == 'int8':
            for batch in runner.test_dataloader:
                images += model.data_preprocessor(batch)['inputs']
                if len(images) >= CALIBRATION_SIZE:
                    break
        runner.model = accelerate_model(model, self.precision, images)

    def after_test(self, runner: Runner) -> None:
        """Give the runner its model back."""
        runner.model = self._model
