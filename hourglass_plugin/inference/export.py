"""A trained model as a file: ONNX, torch.export, AOTInductor.

Each file is loaded again and verified against the model before it is saved
under its name.

Shape shorthand: B batch, S stacks, K keypoints, H W input size, h w heatmap
size.
"""
import copy
import importlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.model import BaseModel
from mmpose.models.utils.tta import flip_heatmaps
from torch import Tensor, nn

from .. import __version__
from ..atomic_files import atomic_file
from ..codecs.codec import HourglassHeatmap
from ..codecs.heatmaps import decode_heatmaps
from ..compat.versions import can_export_programs, onnx_exporter_options
from ..models.consistency import flip_shift
from ..models.head import MultiStageHeatmapHead

#: Largest difference of heatmaps, positions in pixels and scores.
TOLERANCE = 1e-4
#: Batch sizes of the verification and of the traced batch.
BATCH_SIZES, _TRACED = (1, 3, 5), 2
#: The newest that torch 2.1 writes; ONNX Runtime reads it from 1.12 on.
OPSET = 17


class ExportModel(nn.Module):
    """A pose estimator as a function of images alone, on the CPU.

    A copy in evaluation mode: backbone, neck and head, without MMPose's data
    samples. Decoding is the codec's own; every shape follows from the batch.

    Args:
        model: MMPose's top-down estimator with its ``dataset_meta``, whose
            head returns heatmaps; it is not changed.
        decode: return keypoints instead of heatmaps.
        eval_all_stacks: return all stacks, not only the one that ``test_cfg``
            decodes (the last by default).
        flip_test: average heatmaps with those of the flipped images, as
            ``test_cfg=dict(flip_test=True)`` does, for twice the time.

    Attributes:
        input_size: (W, H) in pixels.
        heatmap_size: (w, h) in cells.
        keypoint_names: K names.
        mean, std: per channel, for the normalisation of images.
        output_names: ``heatmaps`` or ``keypoints``, with ``eval_all_stacks``
            ``heatmaps_stack_1``, ....

    Raises:
        ValueError: if the head returns no heatmaps, or has no decoder (for
            ``decode``, no :class:`HourglassHeatmap`).
    """

    def __init__(self,
                 model: BaseModel,
                 decode: bool = False,
                 eval_all_stacks: bool = False,
                 flip_test: bool = False) -> None:
        super().__init__()
        decoder = getattr(getattr(model, 'head', None), 'decoder', None)
        if decoder is None:
            raise ValueError("the config's head has no decoder")
        if decode and not isinstance(decoder, HourglassHeatmap):
            raise ValueError(f'{type(decoder).__name__} cannot be exported: '
                             'export heatmaps, without --decode')
        self.decoder = decoder
        # Plain memory layout: ExecuTorch takes no other, and the users of a
        # file get arrays in the order of their shape.
        self.model = copy.deepcopy(model).cpu().eval().requires_grad_(False)
        self.model.to(memory_format=torch.contiguous_format)
        self.decode, self.flip_test = decode, flip_test
        self.eval_all_stacks = eval_all_stacks
        settings = dict(model.test_cfg or {})
        is_ours = isinstance(model.head, MultiStageHeatmapHead)
        self._stack = settings.get('eval_stack', -1) if is_ours else -1
        self._shift = (
            flip_shift(decoder, settings) if is_ours and flip_test else
            settings.get('shift_heatmap', False))
        meta = model.dataset_meta
        self._flip_indices = list(meta['flip_indices'])
        names = meta['keypoint_id2name']
        self.keypoint_names = [names[index] for index in range(len(names))]
        preprocessor = model.data_preprocessor
        zeros, ones = torch.zeros(3), torch.ones(3)
        self.mean = getattr(preprocessor, 'mean', zeros).flatten().tolist()
        self.std = getattr(preprocessor, 'std', ones).flatten().tolist()
        self.input_size = tuple(map(int, decoder.input_size))
        shapes = self._shapes()
        self.heatmap_size = shapes[0][:1:-1]
        name = 'keypoints' if decode else 'heatmaps'
        self.output_names = [
            f'{name}_stack_{index}' if eval_all_stacks else name
            for index in range(1, len(shapes) + 1)
        ]
        # The exporter restores the mode of the whole, of all its parts.
        self.eval()

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return heatmaps or keypoints.

        Args:
            image: (B, 3, H, W) float32, normalised with mean and std.

        Returns:
            Heatmaps (B, K, h, w), or keypoints (B, K, 3), x and y in 0-based
            pixels of the crop and score, float32; with ``eval_all_stacks`` a
            tuple of S.
        """
        stacks = self.heatmaps(image)
        if self.decode:
            stacks = tuple(self.keypoints(heatmaps) for heatmaps in stacks)
        return stacks if self.eval_all_stacks else stacks[0]

    def heatmaps(self, image: Tensor) -> tuple[Tensor, ...]:
        """Map (B, 3, H, W) to (B, K, h, w) of each returned stack."""
        stacks = self._forward(image)
        if self.flip_test:
            flipped = [flip_heatmaps(heatmaps, self._flip_indices,
                                     shift_heatmap=self._shift)
                       for heatmaps in self._forward(image.flip(-1))]
            stacks = tuple((one + other) / 2
                           for one, other in zip(stacks, flipped))
        return tuple(heatmaps.contiguous() for heatmaps in stacks)

    def keypoints(self, heatmaps: Tensor) -> Tensor:
        """Decode (B, K, h, w) to (B, K, 3)."""
        places, scores = decode_heatmaps(heatmaps, self.decoder.stride,
                                         self.decoder.refinement)
        return torch.cat([places, scores.unsqueeze(2)], 2)

    def random_images(self, batch: int, seed: int = 0) -> Tensor:
        """Return normalised noise, (B, 3, H, W) float32."""
        width, height = self.input_size
        generator = torch.Generator().manual_seed(seed)
        pixels = 255 * torch.rand(batch, 3, height, width, generator=generator)
        return ((pixels - torch.tensor(self.mean).view(-1, 1, 1)) /
                torch.tensor(self.std).view(-1, 1, 1))

    def _forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the heatmaps of the returned stacks, float32."""
        outputs = self.model.head.forward(self.model.extract_feat(image))
        if isinstance(outputs, Tensor):
            outputs = (outputs, )
        if not self.eval_all_stacks:
            outputs = (outputs[self._stack], )
        return tuple(heatmaps.float() for heatmaps in outputs)

    def _shapes(self) -> list[tuple[int, ...]]:
        """Return the returned stacks' (1, K, h, w), by an image."""
        head = type(self.model.head).__name__
        try:
            with torch.no_grad():
                outputs = self._forward(self.random_images(1))
        except (AttributeError, IndexError) as error:
            raise ValueError(f'{head} returns no heatmaps, or not the stack '
                             f'of test_cfg: {error}') from error
        shapes = [tuple(heatmaps.shape) for heatmaps in outputs]
        size = getattr(self.decoder, 'heatmap_size', shapes[0][:1:-1])
        expected = (1, len(self.keypoint_names), *size[::-1])
        if set(shapes) != {expected} or len(size) != 2:
            raise ValueError(f'{head} returns the shapes {shapes}, but the '
                             f"codec's heatmaps have {expected}")
        return shapes


class Written(NamedTuple):
    """Facts about a written file."""

    size: int  #: bytes
    outputs: dict[str, tuple[int, ...]]  #: shapes but for the batch, by name
    difference: float  #: the largest one from the model's outputs
    compared: int  #: heatmaps, or keypoints whose place could be compared
    total: int  #: heatmaps or keypoints


def check_can_write(path: str, suffix: str) -> None:
    """Check before the model is loaded that a file can be written.

    Raises:
        ValueError: if the name does not end in the suffix (``.onnx`` or
            ``.pt2``), or its packages or a newer torch are missing.
    """
    if Path(path).suffix != suffix:
        raise ValueError(f'{path}: the name must end in {suffix}')
    if suffix == '.pt2' and not can_export_programs():
        raise ValueError(f'torch {torch.__version__} cannot export programs: '
                         'update to 2.6, or use tools/export_onnx.py')
    for name in ('onnx', 'onnxruntime') if suffix == '.onnx' else ():
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ValueError('packages for ONNX are missing: pip install onnx '
                             'onnxruntime') from error


def describe(module: ExportModel, config: str,
             checkpoint: str) -> dict[str, str]:
    """Return the metadata that users of an exported file need.

    Numbers and lists are JSON, names (as config and checkpoint) plain text.
    """
    settings = module.model.cfg
    preprocessor = settings.model.get('data_preprocessor') or {}
    reverses = preprocessor.get('bgr_to_rgb') or preprocessor.get('rgb_to_bgr')
    pipeline = settings.test_dataloader.dataset.pipeline
    padding = [step.get('padding', 1.25) for step in pipeline
               if step['type'] == 'GetBBoxCenterScale']
    copied = ('input_size', 'mean', 'std', 'keypoint_names', 'heatmap_size',
              'flip_test')
    sizes = zip(module.input_size, module.heatmap_size)  # width, height
    values = dict(
        {name: getattr(module, name) for name in copied},
        channel_order='RGB' if reverses else 'BGR',  # images are loaded as BGR
        box_padding=padding[0] if padding else 1.0,
        heatmap_stride=[side / cells for side, cells in sizes],
        refinement=getattr(module.decoder, 'refinement', ''),
        config=config,
        checkpoint=checkpoint,
        made_by=f'hourglass_plugin {__version__}, torch {torch.__version__}')
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


@torch.no_grad()
def write_file(module: ExportModel,
               path: str,
               metadata: dict[str, str],
               compiled: bool = False) -> Written:
    """Write a model for batches of any size, and verify the file.

    Args:
        module: the model.
        path: file name ending in ``.onnx``, or in ``.pt2`` for a program of
            ``torch.export``.
        metadata: for ONNX's ``metadata_props``, the program's
            ``metadata.json`` or AOTInductor's ``get_metadata``.
        compiled: compile the program for this machine's CPU, by AOTInductor.

    Raises:
        ValueError: if the file's outputs differ from the model's, or this
            torch or machine cannot write it; nothing is written then.
    """
    check_can_write(path, Path(path).suffix)
    with atomic_file(path) as partial, warnings.catch_warnings():
        # Exporters warn of each size that is fixed, and of their own insides.
        warnings.simplefilter('ignore')
        if partial.suffix == '.onnx':
            run = _write_onnx(module, str(partial), metadata)
        else:
            run = _write_program(module, str(partial), metadata, compiled)
        return verify(run, module, partial.stat().st_size)


def _write_onnx(module: ExportModel, path: str,
                metadata: dict[str, str]) -> Callable:
    """Write an ONNX file and return its function."""
    import onnx
    import onnxruntime
    names = module.output_names
    torch.onnx.export(
        module, (module.random_images(_TRACED), ),
        path,
        input_names=['image'],
        output_names=names,
        dynamic_axes={name: {0: 'batch'} for name in ('image', *names)},
        opset_version=OPSET,
        **onnx_exporter_options())
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    return lambda image: list(
        map(torch.from_numpy, session.run(names, {'image': image.numpy()})))


def _write_program(module: ExportModel, path: str, metadata: dict[str, str],
                   compiled: bool) -> Callable:
    """Write a program or a compiled package and return its function."""
    batch = torch.export.Dim('batch', min=1)
    program = torch.export.export(
        module, (module.random_images(_TRACED), ),
        dynamic_shapes=dict(image={0: batch}),
        strict=False)
    if not compiled:
        content = {'metadata.json': json.dumps(metadata, indent=1)}
        torch.export.save(program, path, extra_files=content)
        return torch.export.load(path).module()
    try:
        options = {'aot_inductor.metadata': metadata}
        torch._inductor.aoti_compile_and_package(
            program, package_path=path, inductor_configs=options)
    except RuntimeError as error:  # as torch's compiler errors are
        reason = str(error).strip().splitlines()[0]
        raise ValueError('AOTInductor cannot compile the program, or finds no '
                         f'C++ compiler: {reason}') from error
    return torch._inductor.aoti_load_package(path)


@torch.no_grad()
def verify(run: Callable, module: ExportModel, size: int = 0) -> Written:
    """Compare a file's outputs with the model's, on noise.

    Heatmaps, positions in pixels and scores may differ by ``TOLERANCE``;
    positions by as much more as they move when heatmaps change by 1e-5 of the
    highest cell. A keypoint that moves by more than 0.01 pixels then is not
    compared: rounding decides between two equal cells of its heatmap.

    Args:
        run: the file's function, (B, 3, H, W) to one output or several.
        module: the model.
        size: of the file, in bytes.

    Raises:
        ValueError: if outputs are missing or differ, or rounding decides
            where most keypoints are.
    """
    difference, compared, total = 0.0, 0, 0
    shapes = {}
    for batch in BATCH_SIZES:
        images = module.random_images(batch, seed=batch)
        stacks, outputs = module.heatmaps(images), run(images)
        if isinstance(outputs, Tensor):
            outputs = [outputs]
        if len(outputs) != len(stacks):
            raise ValueError(f'the file has {len(outputs)} outputs in place '
                             f'of {len(stacks)}')
        for name, output, expected in zip(module.output_names, outputs,
                                          stacks):
            rounding = torch.zeros(*expected.shape[:2], 1)
            if module.decode:
                rounding = _uncertainty(module, expected)
                expected = module.keypoints(expected)
            if output.shape != expected.shape:
                raise ValueError(f'{name} has the shape {tuple(output.shape)} '
                                 f'in place of {tuple(expected.shape)}')
            shapes[name] = tuple(expected.shape[1:])
            steady = (rounding < 0.01).all(2)  # (B, K)
            error = (output - expected).abs().flatten(2)[steady]
            if not bool((error <= TOLERANCE + rounding[steady]).all()):
                raise ValueError(
                    f'{name} differs by {error.max():.2g} from PyTorch in a '
                    f'batch of {batch}; {TOLERANCE} are allowed')
            difference = max([difference, *error.flatten().tolist()])
            compared += len(error)
            total += steady.numel()
    if compared * 2 < total:
        raise ValueError(f'{total - compared} of {total} keypoints have too '
                         'flat heatmaps: export without --decode')
    return Written(size, shapes, difference, compared, total)


def _uncertainty(module: ExportModel, heatmaps: Tensor) -> Tensor:
    """Return how far rounding moves keypoints, (B, K, 3): x, y, score (0)."""
    generator = torch.Generator().manual_seed(0)
    expected = module.keypoints(heatmaps)
    largest = torch.zeros_like(expected)
    rounding = 1e-5 * heatmaps.abs().max().clamp(min=1e-12)
    for _ in range(8):
        noise = 2 * torch.rand(heatmaps.shape, generator=generator) - 1
        moved = module.keypoints(heatmaps + rounding * noise) - expected
        largest = largest.maximum(moved.abs())
    largest[..., 2] = 0
    return largest
