"""A trained model as a file: ONNX, torch.export.

Each file is loaded again and verified against the model before it is saved
under its name.

Shape shorthand: B batch, K keypoints, H W input size, h w heatmap size.
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

    A copy in evaluation mode, without MMPose's data samples.

    Args:
        model: MMPose's top-down estimator with its ``dataset_meta``, whose
            head returns heatmaps; it is not changed. Of several stacks the one
            that ``test_cfg`` decodes is returned, by default the last.
        decode: return keypoints instead of heatmaps.
        flip_test: average heatmaps with those of the flipped images.

    Attributes:
        input_size: (W, H) in pixels.
        heatmap_size: (w, h) in cells.
        keypoint_names: K names.
        mean, std: per channel, for the normalisation of images.
        output_name: ``heatmaps`` or ``keypoints``.

    Raises:
        ValueError: if the head returns no heatmaps, or has no decoder (for
            ``decode``, no :class:`HourglassHeatmap`).
    """

    def __init__(self,
                 model: BaseModel,
                 decode: bool = False,
                 flip_test: bool = False) -> None:
        super().__init__()
        decoder = getattr(getattr(model, 'head', None), 'decoder', None)
        if decoder is None:
            raise ValueError('the model has no codec: set model.head.decoder '
                             'in the config')
        if decode and not isinstance(decoder, HourglassHeatmap):
            raise ValueError(f'{type(decoder).__name__} cannot be exported: '
                             'export heatmaps, without --decode')
        self.decoder = decoder
        # Plain memory layout: ExecuTorch takes no other, and the users of a
        # file get arrays in the order of their shape.
        self.model = copy.deepcopy(model).cpu().eval().requires_grad_(False)
        self.model.to(memory_format=torch.contiguous_format)
        self.decode, self.flip_test = decode, flip_test
        self.output_name = 'keypoints' if decode else 'heatmaps'
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
        self.heatmap_size = tuple(getattr(decoder, 'heatmap_size', ()))
        self._check_output()
        # The exporter restores the mode of the whole, of all its parts.
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W), float32, to the output.

        Heatmaps (B, K, h, w), or keypoints (B, K, 3), x and y in 0-based
        pixels of the crop and score, float32.
        """
        heatmaps = self.heatmaps(image)
        return self.keypoints(heatmaps) if self.decode else heatmaps

    def heatmaps(self, image: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, K, h, w)."""
        heatmaps = self._forward(image)
        if self.flip_test:
            flipped = flip_heatmaps(
                self._forward(image.flip(-1)), self._flip_indices,
                shift_heatmap=self._shift)
            heatmaps = (heatmaps + flipped) / 2
        return heatmaps.contiguous()

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

    def _forward(self, image: Tensor) -> Tensor:
        """Return the heatmaps of the decoded stack, float32."""
        outputs = self.model.head.forward(self.model.extract_feat(image))
        if not isinstance(outputs, Tensor):
            outputs = outputs[self._stack]
        return outputs.float()

    @torch.no_grad()
    def _check_output(self) -> None:
        """Raise ValueError unless heatmaps are returned, of the codec."""
        expected = (1, len(self.keypoint_names), *self.heatmap_size[::-1])
        try:
            shape = tuple(self._forward(self.random_images(1)).shape)
        except (AttributeError, IndexError):  # other outputs, or no such stack
            shape = ()
        if shape != expected or len(shape) != 4:
            raise ValueError(f'{type(self.model.head).__name__} returns the '
                             f'shape {shape}, but heatmaps of the codec have '
                             f'{expected}: change out_channels, eval_stack or '
                             "the codec's sizes")


class Written(NamedTuple):
    """A written file."""

    shape: tuple[int, ...]  #: of the output, but for the batch
    difference: float  #: the largest one from the model's outputs
    compared: int  #: heatmaps, or keypoints whose place could be compared
    total: int  #: heatmaps or keypoints


def check_can_write(path: str, suffix: str) -> None:
    """Check before the model is loaded that a file can be written.

    Raises:
        ValueError: if the name has another suffix (``.onnx`` or ``.pt2``), or
            packages are missing.
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
    padding = [step.get('padding', 1.25)
               for step in settings.test_dataloader.dataset.pipeline
               if step['type'] == 'GetBBoxCenterScale']
    values = dict(
        {name: getattr(module, name) for name in (
            'input_size', 'mean', 'std', 'keypoint_names', 'heatmap_size',
            'flip_test')},
        channel_order='RGB' if reverses else 'BGR',  # images are loaded as BGR
        box_padding=padding[0] if padding else 1.0,
        heatmap_stride=[side / cells for side, cells in zip(
            module.input_size, module.heatmap_size)],
        refinement=getattr(module.decoder, 'refinement', ''),
        config=config, checkpoint=checkpoint,
        made_by=f'hourglass_plugin {__version__}, torch {torch.__version__}')
    return {name: value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()}


@torch.no_grad()
def write_file(module: ExportModel, path: str, metadata: dict[str, str],
               opset: int = OPSET) -> Written:
    """Write a model for batches of any size, and verify the file.

    Args:
        module: to write.
        path: ending in ``.onnx``, or in ``.pt2`` for ``torch.export``.
        metadata: for ``metadata_props``, or the program's ``metadata.json``.
        opset: version of an ONNX file's operators.

    Raises:
        ValueError: if the file's outputs differ from the model's, or this
            torch cannot write it; nothing is written then.
    """
    check_can_write(path, Path(path).suffix)
    with atomic_file(path) as partial, warnings.catch_warnings():
        # Exporters warn of each size that is fixed, and of their own insides.
        warnings.simplefilter('ignore')
        if partial.suffix == '.onnx':
            run = _write_onnx(module, str(partial), metadata, opset)
        else:
            run = _write_program(module, str(partial), metadata)
        return verify(run, module)


def _write_onnx(module: ExportModel, path: str, metadata: dict[str, str],
                opset: int) -> Callable:
    """Write an ONNX file and return its function."""
    import onnx
    import onnxruntime
    names = ['image', module.output_name]
    torch.onnx.export(
        module, (module.random_images(_TRACED), ), path,
        input_names=names[:1], output_names=names[1:],
        dynamic_axes={name: {0: 'batch'} for name in names},
        opset_version=opset, **onnx_exporter_options())
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    return lambda image: torch.from_numpy(
        session.run(None, {'image': image.numpy()})[0])


def _write_program(module: ExportModel, path: str,
                   metadata: dict[str, str]) -> Callable:
    """Write a program and return its function."""
    batch = torch.export.Dim('batch', min=1)
    program = torch.export.export(
        module, (module.random_images(_TRACED), ),
        dynamic_shapes=dict(image={0: batch}),
        strict=False)
    content = {'metadata.json': json.dumps(metadata, indent=1)}
    torch.export.save(program, path, extra_files=content)
    return torch.export.load(path).module()


@torch.no_grad()
def verify(run: Callable, module: ExportModel) -> Written:
    """Compare a file's outputs with the model's, on noise.

    Heatmaps, positions in pixels and scores may differ by ``TOLERANCE``;
    positions by as much more as they move when heatmaps change by 1e-5 of the
    highest cell. Keypoints that move by over 0.01 pixels are not compared.

    Args:
        run: the file's function, (B, 3, H, W) to the output.
        module: the model.

    Raises:
        ValueError: if outputs differ, or most keypoints are not compared.
    """
    difference, compared, total = 0.0, 0, 0
    for batch in BATCH_SIZES:
        images = module.random_images(batch, seed=batch)
        expected, output = module.heatmaps(images), run(images)
        rounding = torch.zeros(*expected.shape[:2], 1)
        if module.decode:
            rounding = _uncertainty(module, expected)
            expected = module.keypoints(expected)
        if output.shape != expected.shape:
            raise ValueError(f'the output has the shape {tuple(output.shape)} '
                             f'in place of {tuple(expected.shape)}')
        steady = (rounding < 0.01).all(2)  # (B, K)
        error = (output - expected).abs().flatten(2)[steady]
        if not bool((error <= TOLERANCE + rounding[steady]).all()):
            raise ValueError(
                f'the output differs by {error.max():.2g} from PyTorch in a '
                f'batch of {batch}; {TOLERANCE} are allowed: try another '
                'version of torch or onnxruntime')
        difference = max([difference, *error.flatten().tolist()])
        compared += len(error)
        total += steady.numel()
    if compared * 2 < total:
        raise ValueError(f'{total - compared} of {total} keypoints have too '
                         'flat heatmaps: export without --decode')
    return Written(tuple(expected.shape[1:]), difference, compared, total)


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
