"""A trained model as a file: ONNX, torch.export, AOTInductor.

Each file is loaded again and compared with the model before it appears under
its name.
"""
import importlib
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from torch import Tensor

from ..atomic_files import atomic_file
from ..compat.versions import can_export_programs, onnx_exporter_options
from ..models.weights.loading import read_checkpoint
from .export import (
    BATCH_SIZES,
    TOLERANCE,
    Agreement,
    ExportModel,
    check_agreement,
    describe,
)
from .predictor import build_pose_model

#: The newest that torch 2.1 writes; ONNX Runtime reads it from 1.12 on.
OPSET = 17
#: How many images the traced batch has; none of ``BATCH_SIZES``.
_TRACED = 2
_METADATA = 'metadata.json'


class Written(NamedTuple):
    """What a file holds, for the user to read."""

    kind: str
    size: int  #: bytes
    inputs: str
    outputs: str
    agreement: Agreement

    def lines(self, path: str, module: ExportModel) -> str:
        """A few lines of text."""
        found = self.agreement
        what, unit = 'heatmaps', ''
        if module.decode:
            what, unit = 'keypoints', ', pixels and scores'
        more = ''
        if found.difference > TOLERANCE:  # see check_agreement
            more = ', more where rounding moves a flat maximum'
        return (f'{path}: {self.kind}, {self.size / 1e6:.1f} MB\n'
                f'  input:  {self.inputs}\n'
                f'  output: {self.outputs}\n'
                f'  largest difference from PyTorch: {found.difference:.1e}'
                f'{unit} ({TOLERANCE:g} allowed{more}; {found.compared} of '
                f'{found.total} {what}, batches of '
                f'{", ".join(map(str, BATCH_SIZES))})')


def check_can_write(path: str, suffix: str) -> None:
    """Find out before the model is loaded whether a file can be written.

    Args:
        path: the file's name.
        suffix: what it must end in, ``.onnx`` or ``.pt2``.

    Raises:
        ValueError: if it ends otherwise, or packages or a newer torch are
            missing.
    """
    if Path(path).suffix != suffix:
        raise ValueError(f'{path}: the name must end in {suffix}')
    if suffix == '.pt2':
        if not can_export_programs():
            raise ValueError(f'programs are exported by torch 2.6 and newer, '
                             f'but this is {torch.__version__}: update torch, '
                             'or export to ONNX with tools/export_onnx.py')
        return
    missing = []
    for name in ('onnx', 'onnxruntime'):
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if missing:
        raise ValueError(f'{" and ".join(missing)} cannot be imported, which '
                         'writing and checking ONNX files needs: '
                         f'pip install {" ".join(missing)}')


def load_model(config: Config,
               checkpoint: str,
               decode: bool = False,
               eval_all_stacks: bool = False,
               flip_test: bool = False) -> tuple[ExportModel, dict[str, str]]:
    """Read a config and a checkpoint to what is exported.

    Args:
        config: from a file, whose name goes into the metadata.
        checkpoint: file, or an address that mmengine downloads.
        decode: see :class:`ExportModel`.
        eval_all_stacks: see :class:`ExportModel`.
        flip_test: see :class:`ExportModel`.

    Returns:
        The model and the metadata of its file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if they do not fit each other or cannot be exported.
    """
    model = build_pose_model(config, read_checkpoint(checkpoint), checkpoint,
                             'cpu')
    module = ExportModel(model, decode, eval_all_stacks, flip_test)
    return module, describe(module, str(config.filename), checkpoint)


def write_onnx(module: ExportModel, path: str,
               metadata: dict[str, str]) -> Written:
    """Write an ONNX file for batches of any size.

    Args:
        module: the model.
        path: file name ending in ``.onnx``.
        metadata: goes into the file's ``metadata_props``.

    Raises:
        ValueError: if the file's outputs differ from the model's, or packages
            are missing; nothing is written then.
    """
    check_can_write(path, '.onnx')
    import onnx
    import onnxruntime
    with atomic_file(path) as partial:
        with torch.no_grad(), warnings.catch_warnings():
            # The exporter warns of each size that it takes for fixed, which
            # they are, and of being the older one.
            warnings.simplefilter('ignore')
            torch.onnx.export(
                module, (module.random_images(_TRACED), ),
                str(partial),
                input_names=['image'],
                output_names=module.output_names,
                dynamic_axes={
                    name: {
                        0: 'batch'
                    }
                    for name in ['image', *module.output_names]
                },
                opset_version=OPSET,
                **onnx_exporter_options())
        model = onnx.load(str(partial))
        onnx.helper.set_model_props(model, metadata)
        onnx.save(model, str(partial))
        session = onnxruntime.InferenceSession(
            str(partial), providers=['CPUExecutionProvider'])

        def run(image: Tensor) -> list[Tensor]:
            outputs = session.run(module.output_names,
                                  {'image': image.numpy()})
            return [torch.from_numpy(output) for output in outputs]

        agreement = check_agreement(run, module)
        size = partial.stat().st_size

    def text(parts: Sequence) -> str:
        return ', '.join(
            f'{part.name} ({", ".join(map(str, part.shape))}) float32'
            for part in parts)

    return Written(f'ONNX, opset {OPSET}', size, text(session.get_inputs()),
                   text(session.get_outputs()), agreement)


def write_program(module: ExportModel,
                  path: str,
                  metadata: dict[str, str],
                  compiled: bool = False) -> Written:
    """Write a program of ``torch.export`` for batches of any size.

    Args:
        module: the model.
        path: file name ending in ``.pt2``.
        metadata: goes into the file, as ``metadata.json``, or into what
            AOTInductor's ``get_metadata`` returns.
        compiled: compile it for this machine's processor, by AOTInductor.

    Raises:
        ValueError: if the file's outputs differ from the model's, or this
            torch or machine cannot write it; nothing is written then.
    """
    check_can_write(path, '.pt2')
    with atomic_file(path) as partial, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of torch about its own insides
        with torch.no_grad():
            program = torch.export.export(
                module, (module.random_images(_TRACED), ),
                dynamic_shapes={'image': {
                    0: torch.export.Dim('batch', min=1)
                }},
                strict=False)
        if compiled:
            run = _compile(program, str(partial), metadata)
            kind = 'AOTInductor package for this kind of processor'
        else:
            torch.export.save(
                program,
                str(partial),
                extra_files={_METADATA: json.dumps(metadata, indent=1)})
            run = torch.export.load(str(partial)).module()
            kind = 'program of torch.export'

        def outputs(image: Tensor) -> Sequence[Tensor]:
            found = run(image)
            return [found] if isinstance(found, Tensor) else list(found)

        agreement = check_agreement(outputs, module)
        shapes = [
            tuple(output.shape[1:])
            for output in outputs(module.random_images(1))
        ]
        size = partial.stat().st_size
    names = ', '.join(
        f'{name} (batch, {", ".join(map(str, shape))}) float32'
        for name, shape in zip(module.output_names, shapes))
    width, height = module.input_size
    return Written(kind, size, f'image (batch, 3, {height}, {width}) float32',
                   names, agreement)


def _compile(program: 'torch.export.ExportedProgram', path: str,
             metadata: dict[str, str]) -> Callable:
    """Compile a program to a package, and load that."""
    try:
        torch._inductor.aoti_compile_and_package(
            program,
            package_path=path,
            inductor_configs={'aot_inductor.metadata': metadata})
    except RuntimeError as error:  # as torch's compiler errors are
        reason = str(error).strip().splitlines()[0]
        raise ValueError('AOTInductor cannot compile the program, for which '
                         f'it needs a C++ compiler: {reason}') from error
    return torch._inductor.aoti_load_package(path)
