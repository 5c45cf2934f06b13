"""Training steps: our network plain, tuned, compiled, and MMPose's."""
from collections.abc import Mapping, Sequence
from copy import deepcopy

import torch
import torch._dynamo
from bench_baselines import (
    build_model,
    input_size,
    model_figures,
    other_models,
    our_config,
    training_batch,
)
from bench_machine import peak_memory
from bench_report import Table, timed_rows
from bench_timing import measure
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from plain_network import PlainNetwork

from hourglass_plugin.engine import compile_for_training

#: Our baselines, name -> in bfloat16, compiled. All but the plain one are
#: tuned, that is, as the config builds them.
VARIANTS = {
    'plain': (False, False),
    'tuned': (False, False),
    'compiled': (False, True),
    'bfloat16': (True, False),
    'bfloat16-compiled': (True, True),
}


def run(config: Config,
        device: str,
        rounds: int,
        stacks: Sequence[int] = (2, ),
        batch_size: Sequence[int] = (4, ),
        variants: Sequence[str] = tuple(VARIANTS),
        beside: Mapping[str, Config] | None = None
        ) -> tuple[list[Table], list[str]]:
    """Measure training steps: forward, loss, backward, optimizer.

    Args:
        config: of our network; its head and optimizer are used. The other
            networks have those of their own configs.
        device: to run on.
        rounds: turns of each candidate.
        stacks: sizes of our network.
        batch_size: images of a step.
        variants: of ``VARIANTS``; the plain one is always among them.
        beside: configs of other networks, by name; default: MMPose's own.

    Returns:
        Tables, and notes on what they mean.
    """
    # Beyond 8 variants of a function torch would silently not compile.
    torch._dynamo.config.cache_size_limit = 64
    variants = ['plain', *(name for name in variants if name != 'plain')]
    tables = [
        _steps(config, device, rounds, count, batch, variants, beside)
        for batch in batch_size for count in stacks
    ]
    return tables, [
        'Memory is that of a step beyond parameters and optimizer. '
        'Multiply-adds are those of the forward pass. The difference is that '
        'of the first loss to the plain network\'s, as a part of it.'
    ]


class Step:
    """A training step on one batch, as mmengine's runner does it.

    Args:
        config: whose targets and optimizer are used.
        model: its model, on the device.
        batch_size: images of the batch.
        in_bfloat16: autocast to bfloat16; else float32.

    Attributes:
        loss: of the first step, which building makes.
    """

    def __init__(self,
                 config: Config,
                 model: BaseModel,
                 batch_size: int,
                 in_bfloat16: bool = False) -> None:
        options = deepcopy(config.optim_wrapper)
        options.type = ('BFloat16OptimWrapper'
                        if in_bfloat16 else 'OptimWrapper')
        self._model = model.train()
        self._optimizer = build_optim_wrapper(model, options)
        self._batch = training_batch(config, batch_size)
        self.loss = self()['loss'].item()

    def __call__(self) -> dict[str, torch.Tensor]:
        """Make a step; return the losses, on the device."""
        return self._model.train_step(self._batch, self._optimizer)


def our_step(config: Config, device: str, batch_size: int,
             variant: str) -> Step:
    """The step of one of ``VARIANTS``, all with the same first weights."""
    in_bfloat16, is_compiled = VARIANTS[variant]
    model = build_model(config, device)
    if variant == 'plain':
        model.backbone = PlainNetwork(model.backbone)
    if is_compiled:
        compile_for_training(model.backbone)
    return Step(config, model, batch_size, in_bfloat16)


def _steps(config: Config, device: str, rounds: int, count: int,
           batch_size: int, variants: Sequence[str],
           beside: Mapping[str, Config] | None) -> Table:
    config = our_config(config, count)
    size = input_size(config)
    figures = model_figures(config, size)
    steps: dict[str, Step] = {}
    details: dict[str, dict] = {}
    for name in variants:
        steps[name] = our_step(config, device, batch_size, name)
        difference = abs(steps[name].loss / steps['plain'].loss - 1)
        details[name] = dict(figures, difference=difference)
    for name, other, model in other_models(size, device, beside):
        steps[name] = Step(other, model, batch_size)
        details[name] = dict(model_figures(other, size))
    for name, step in steps.items():
        details[name]['peak_memory'] = peak_memory(step, device)
    title = f'{count} stack{"s" * (count > 1)}, batch {batch_size}'
    timings = measure(
        steps,
        rounds,
        device,
        warmup=1,  # measuring memory has warmed them up
        title=title,
        keeping=variants[1:])
    return Table(f'Training, {title}',
                 timed_rows(timings, 'plain', batch_size, details))
