"""What is exported of a trained pose estimator, and how a copy is judged.

Shape shorthand: B batch, S stacks, K keypoints, H W input size, h w heatmap
size.
"""
import copy
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple, Union

import torch
from mmengine.model import BaseModel
from mmpose.models.utils.tta import flip_heatmaps
from torch import Tensor, nn

from .. import __version__
from ..codecs.codec import HourglassHeatmap
from ..codecs.heatmaps import decode_heatmaps
from ..models.consistency import flip_shift
from ..models.head import MultiStageHeatmapHead

#: How much a copy's heatmaps, positions in pixels and scores may differ.
TOLERANCE = 1e-4
#: Of the batches with which a copy is judged; what is traced is none of them.
BATCH_SIZES = (1, 3, 5)


class ExportModel(nn.Module):
    """A pose estimator as a function of images alone, on the processor.

    A copy in evaluation mode: backbone, neck and head, without MMPose's data
    samples. Decoding is the codec's own; every shape follows from the batch.

    Args:
        model: MMPose's top-down estimator with its ``dataset_meta``, whose
            head gives heatmaps; it is left as it is.
        decode: return keypoints instead of heatmaps.
        eval_all_stacks: return all stacks, not only the one that ``test_cfg``
            decodes (the last by default).
        flip_test: average heatmaps with those of the mirrored images, as
            ``test_cfg=dict(flip_test=True)`` does, for twice the time.

    Attributes:
        input_size: (W, H) in pixels.
        heatmap_size: (w, h) in cells.
        keypoint_names: K names.
        mean: per channel, of what images must be normalised with.
        std: per channel.
        output_names: ``heatmaps`` or ``keypoints``, with ``eval_all_stacks``
            ``heatmaps_stack_1``, ....

    Raises:
        ValueError: if the head gives no heatmaps, or has no decoder, or one
            that is not :class:`HourglassHeatmap` for ``decode``.
    """

    def __init__(self,
                 model: BaseModel,
                 decode: bool = False,
                 eval_all_stacks: bool = False,
                 flip_test: bool = False) -> None:
        super().__init__()
        decoder = getattr(getattr(model, 'head', None), 'decoder', None)
        if decoder is None:
            raise ValueError('the config\'s head has no decoder, which says '
                             'how large images and heatmaps are')
        if decode and not isinstance(decoder, HourglassHeatmap):
            raise ValueError(
                f'the codec {type(decoder).__name__} is MMPose\'s, which '
                'decodes with NumPy and OpenCV: export the heatmaps, without '
                '--decode')
        self.decoder = decoder
        # Plain memory layout: ExecuTorch takes no other, and whoever runs a
        # file gets arrays in the order of their shape.
        self.model = copy.deepcopy(model).cpu().eval().requires_grad_(False)
        self.model.to(memory_format=torch.contiguous_format)
        self.decode = decode
        self.eval_all_stacks = eval_all_stacks
        self.flip_test = flip_test
        settings = dict(model.test_cfg or {})
        is_ours = isinstance(model.head, MultiStageHeatmapHead)
        self._stack = settings.get('eval_stack', -1) if is_ours else -1
        self._shifts = (
            flip_shift(decoder, settings) if is_ours and flip_test else
            settings.get('shift_heatmap', False))
        meta = model.dataset_meta
        self._flip_indices = list(meta['flip_indices'])
        self.keypoint_names = [
            meta['keypoint_id2name'][index]
            for index in range(len(self._flip_indices))
        ]
        preprocessor = model.data_preprocessor
        zeros, ones = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
        self.mean = getattr(preprocessor, 'mean', zeros).flatten().tolist()
        self.std = getattr(preprocessor, 'std', ones).flatten().tolist()
        self.input_size = tuple(map(int, decoder.input_size))
        self.heatmap_size, self.output_names = self._try()
        # The exporter restores the mode of the whole, of all its parts.
        self.eval()

    def forward(self, image: Tensor) -> Union[Tensor, tuple[Tensor, ...]]:
        """Heatmaps or keypoints.

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
        """(B, 3, H, W) to (B, K, h, w) of each stack that is asked for."""
        stacks = self._forward(image)
        if self.flip_test:
            stacks = tuple(
                (heatmaps + flip_heatmaps(
                    mirrored, self._flip_indices,
                    shift_heatmap=self._shifts)) / 2
                for heatmaps, mirrored in zip(stacks,
                                              self._forward(image.flip(-1))))
        return tuple(heatmaps.contiguous() for heatmaps in stacks)

    def keypoints(self, heatmaps: Tensor) -> Tensor:
        """(B, K, h, w) to (B, K, 3)."""
        places, scores = decode_heatmaps(heatmaps, self.decoder.stride,
                                         self.decoder.refinement)
        return torch.cat([places, scores.unsqueeze(2)], 2)

    def random_images(self, batch: int, seed: int = 0) -> Tensor:
        """Noise as the network takes it, (B, 3, H, W) float32."""
        width, height = self.input_size
        generator = torch.Generator().manual_seed(seed)
        pixels = 255 * torch.rand(batch, 3, height, width, generator=generator)
        return ((pixels - torch.tensor(self.mean).view(-1, 1, 1)) /
                torch.tensor(self.std).view(-1, 1, 1))

    def _forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The stacks that are asked for, as float32."""
        outputs = self.model.head.forward(self.model.extract_feat(image))
        if isinstance(outputs, Tensor):
            outputs = (outputs, )
        if not self.eval_all_stacks:
            outputs = (outputs[self._stack], )
        return tuple(heatmaps.float() for heatmaps in outputs)

    def _try(self) -> tuple[tuple[int, int], list[str]]:
        """The heatmaps' (w, h) and the outputs' names, by an image."""
        head = type(self.model.head).__name__
        with torch.no_grad():
            try:
                outputs = self._forward(self.random_images(1))
            except (AttributeError, IndexError) as error:
                raise ValueError(
                    f'{head} gives no heatmaps, which can be exported, or not '
                    f'the stack that test_cfg asks for: {error}') from error
        sizes = {tuple(heatmaps.shape) for heatmaps in outputs}
        count = len(self.keypoint_names)
        if len(sizes) != 1 or any(
                len(size) != 4 or size[1] != count for size in sizes):
            raise ValueError(f'{head} gives {sorted(sizes)}, but heatmaps of '
                             f'{count} keypoints are (1, {count}, height, '
                             'width): only they can be exported')
        _, _, height, width = sizes.pop()
        expected = getattr(self.decoder, 'heatmap_size', (width, height))
        if (width, height) != tuple(expected):
            raise ValueError(
                f'the network gives heatmaps of {width} x {height} cells, but '
                f'the codec has heatmap_size={tuple(expected)}')
        name = 'keypoints' if self.decode else 'heatmaps'
        names = [name]
        if self.eval_all_stacks:
            names = [
                f'{name}_stack_{number + 1}' for number in range(len(outputs))
            ]
        return (width, height), names


def describe(module: ExportModel, config: str,
             checkpoint: str) -> dict[str, str]:
    """What must be known to use an exported file, as its metadata.

    Numbers and lists are JSON, names are plain text.

    Args:
        module: what is exported; its model has MMPose's ``cfg``.
        config: name of the config.
        checkpoint: name of the checkpoint.
    """
    settings = module.model.cfg
    preprocessor = settings.model.get('data_preprocessor') or {}
    reverses = preprocessor.get('bgr_to_rgb') or preprocessor.get('rgb_to_bgr')
    padding = [
        step.get('padding', 1.25)
        for step in settings.test_dataloader.dataset.pipeline
        if step['type'] == 'GetBBoxCenterScale'
    ]
    values = dict(
        input_size=module.input_size,  # width, height
        # Images are loaded as BGR.
        channel_order='RGB' if reverses else 'BGR',
        mean=module.mean,
        std=module.std,
        box_padding=padding[0] if padding else 1.0,
        keypoint_names=module.keypoint_names,
        heatmap_size=module.heatmap_size,
        heatmap_stride=[
            pixels / cells
            for pixels, cells in zip(module.input_size, module.heatmap_size)
        ],
        refinement=getattr(module.decoder, 'refinement', ''),
        flip_test=module.flip_test,
        config=config,
        checkpoint=checkpoint,
        made_by=f'hourglass_plugin {__version__}, torch {torch.__version__}')
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


class Agreement(NamedTuple):
    """How close a copy's outputs are."""

    difference: float  #: the largest one
    compared: int  #: heatmaps, or keypoints whose place could be compared
    total: int  #: how many there were


def check_agreement(run: Callable[[Tensor], Sequence[Tensor]],
                    module: ExportModel) -> Agreement:
    """Compare a copy of the model with the model, on noise.

    Heatmaps, positions in pixels and scores may differ by ``TOLERANCE``.
    Where two cells are equally high, or a heatmap is flat, rounding decides
    where its keypoint is: positions may differ by as much more as heatmaps do
    that are changed by 1e-5 of the highest cell; a keypoint that moves by
    more than 0.01 pixels then is not compared.

    Args:
        run: the copy, (B, 3, H, W) to the outputs.
        module: the model.

    Raises:
        ValueError: if outputs are missing or differ, or rounding decides
            where most keypoints are.
    """
    difference, compared, total = 0.0, 0, 0
    for batch in BATCH_SIZES:
        images = module.random_images(batch, seed=batch)
        with torch.no_grad():
            stacks = module.heatmaps(images)
            outputs = list(run(images))
            if len(outputs) != len(stacks):
                raise ValueError(f'there are {len(outputs)} outputs in place '
                                 f'of {len(stacks)}')
            for name, output, heatmaps in zip(module.output_names, outputs,
                                              stacks):
                allowed = torch.tensor(TOLERANCE)
                expected = heatmaps
                if module.decode:
                    expected = module.keypoints(heatmaps)
                    allowed = TOLERANCE + _uncertainty(module, heatmaps)
                if output.shape != expected.shape:
                    raise ValueError(f'{name} has the shape '
                                     f'{tuple(output.shape)} in place of '
                                     f'{tuple(expected.shape)}')
                error = (output - expected).abs()
                total += batch * error.shape[1]
                if module.decode:
                    steady = (allowed < 0.01).all(2)  # (B, K)
                    error, allowed = error[steady], allowed[steady]
                    compared += len(error)
                else:
                    compared += batch * error.shape[1]
                if not bool((error <= allowed).all()):  # NaN is not
                    raise ValueError(
                        f'{name} differs by up to {error.max():.2g} from what '
                        f'PyTorch computes in a batch of {batch}; {TOLERANCE} '
                        'are allowed')
                difference = max([difference, *error.flatten().tolist()])
    if compared * 2 < total:
        raise ValueError(
            f'the heatmaps of {total - compared} of {total} keypoints are so '
            'flat that rounding decides where their maximum is, so a copy '
            'cannot be compared: train the network, or export without '
            '--decode')
    return Agreement(difference, compared, total)


def _uncertainty(module: ExportModel, heatmaps: Tensor) -> Tensor:
    """How far rounding could move keypoints, (B, K, 3): x, y, score (0)."""
    generator = torch.Generator().manual_seed(0)
    expected = module.keypoints(heatmaps)
    largest = torch.zeros_like(expected)
    rounding = 1e-5 * heatmaps.abs().max().clamp(min=1e-12)
    for _ in range(8):
        noise = 2 * torch.rand(heatmaps.shape, generator=generator) - 1
        changed = heatmaps + rounding * noise
        moved = (module.keypoints(changed) - expected).abs()
        largest = largest.maximum(moved)
    largest[..., 2] = 0
    return largest
