"""Find people in images with CenterNet on a stacked hourglass.

Runs the detector of ``configs/detection/centernet`` without MMDetection, which
trains it: the same network, preprocessing and decoding.

Source: Zhou, Wang and Krähenbühl, "Objects as Points" (arXiv:1904.07850).
"""
import re
from collections.abc import Callable, Mapping

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.stacked_hourglass import StackedHourglass
from ..models.weights.loading import read_checkpoint

#: The longer side of an image that the detector sees, in pixels.
INPUT_SIDE = 384
#: Sides are padded to multiples of it, so that all maps have whole cells.
DIVISOR = 64
#: Pixels of a cell of the maps.
STRIDE = 4
_MAPS = dict(heatmap_head=1, wh_head=2, offset_head=2)


class PersonDetector(nn.Module):
    """Boxes of people from the centres, sizes and offsets of CenterNet.

    Args:
        weights: of ``HourglassCenterNet`` with ``StackedCenterNetHead`` and
            one class, as its checkpoints have them.

    Raises:
        KeyError: if they are another network's.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        stack = max(int(found[1]) for found in map(
            re.compile(r'bbox_head\.heads\.(\d+)\.').match, weights) if found)
        head = f'bbox_head.heads.{stack}.'
        channels, width = weights[f'{head}wh_head.0.weight'].shape[:2]
        self.backbone = StackedHourglass(
            num_stacks=stack + 1, feat_channels=width)
        self.head = nn.ModuleDict({
            name: nn.Sequential(
                nn.Conv2d(width, channels, 3, padding=1), nn.ReLU(),
                nn.Conv2d(channels, count, 1))
            for name, count in _MAPS.items()
        })
        for part, prefix in ((self.backbone, 'backbone.'), (self.head, head)):
            part.load_state_dict({
                key[len(prefix):]: value
                for key, value in weights.items() if key.startswith(prefix)
            })
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict from (B, 3, H, W) RGB in [0, 1].

        Returns:
            Centres (B, 1, H/4, W/4), 0 to 1, and widths and heights, and
            offsets of the centres, both (B, 2, H/4, W/4) in cells.
        """
        features = self.backbone(images)[-1]
        centers, sizes, offsets = (
            self.head[name](features) for name in _MAPS)
        return centers.sigmoid(), sizes, offsets

    @torch.no_grad()
    def detect(self,
               image: np.ndarray,
               score_threshold: float = 0.3,
               max_people: int = 100) -> tuple[np.ndarray, np.ndarray]:
        """Find people in one image.

        Args:
            image: (H, W, 3) uint8, BGR.
            score_threshold: boxes with lower scores are left out.
            max_people: number of boxes at most.

        Returns:
            (N, 4) left, top, right, bottom in pixels of the image, cut at its
            border, and (N,) scores, highest first.
        """
        tensor, scale = _network_input(image)
        device = next(self.parameters()).device
        centers, sizes, offsets = self(tensor.to(device))
        boxes, scores = decode(centers, sizes, offsets, max_people)
        kept = scores >= score_threshold
        found = boxes[kept].cpu().numpy() / scale
        limits = np.array(image.shape[1::-1] * 2, np.float32)
        return found.clip(0, limits), scores[kept].cpu().numpy()


def _network_input(image: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Resize and pad an image.

    Returns:
        (1, 3, H, W) RGB in [0, 1], and (4,) pixels of it per image pixel.
    """
    height, width = image.shape[:2]
    factor = INPUT_SIDE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    padded = np.zeros(
        (-(-size[1] // DIVISOR) * DIVISOR, -(-size[0] // DIVISOR) * DIVISOR,
         3), np.uint8)
    padded[:size[1], :size[0]] = resized
    tensor = torch.from_numpy(padded[..., ::-1].transpose(2, 0, 1).copy())
    scale = np.array([size[0] / width, size[1] / height] * 2, np.float32)
    return tensor[None].float() / 255, scale


def decode(centers: Tensor, sizes: Tensor, offsets: Tensor,
           max_people: int) -> tuple[Tensor, Tensor]:
    """Decode the maps of one image: a box for each local maximum.

    Args:
        centers: (1, 1, H, W), 0 to 1.
        sizes: (1, 2, H, W) widths and heights in cells.
        offsets: (1, 2, H, W) x and y in cells.
        max_people: number of boxes at most.

    Returns:
        (N, 4) left, top, right, bottom in input pixels and (N,) scores,
        highest first.
    """
    peaks = centers * (centers == F.max_pool2d(centers, 3, 1, 1))
    scores, cells = peaks.flatten().topk(min(max_people, peaks.numel()))
    x, y = cells % centers.shape[-1], cells // centers.shape[-1]
    position = torch.stack([x, y], 1) + offsets[0].flatten(1)[:, cells].T
    half = sizes[0].flatten(1)[:, cells].T.clamp(min=0) / 2
    boxes = torch.cat([position - half, position + half], 1) * STRIDE
    return boxes, scores


def load_person_detector(
        checkpoint: str,
        device: str | torch.device = 'cpu',
        score_threshold: float = 0.3) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from an image to the boxes of the people in it.

    Args:
        checkpoint: of ``configs/detection/centernet``, see
            :class:`PersonDetector`.
        device: such as ``cuda:0``.
        score_threshold: boxes with lower scores are left out.

    Returns:
        A function from (H, W, 3) uint8, BGR, to (N, 4) left, top, right,
        bottom in pixels, the highest score first.
    """
    weights = read_checkpoint(checkpoint)['state_dict']
    detector = PersonDetector(weights).to(device)
    return lambda image: detector.detect(image, score_threshold)[0]


def mmdet_detector(config: str,
                   checkpoint: str,
                   device: str | torch.device = 'cpu',
                   score_threshold: float = 0.3,
                   label: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    """Return such a function of a detector of MMDetection's.

    Args:
        config: file of MMDetection.
        checkpoint: of this config.
        device: such as ``cuda:0``.
        score_threshold: boxes with lower scores are left out.
        label: of people; 0 in COCO.

    Raises:
        ModuleNotFoundError: if MMDetection is not installed.
    """
    from ..compat.imports import import_mmdet
    import_mmdet()
    from mmdet.apis import inference_detector, init_detector
    model = init_detector(config, checkpoint, device=str(device))

    def detect(image: np.ndarray) -> np.ndarray:
        found = inference_detector(model, image).pred_instances
        kept = (found.scores >= score_threshold) & (found.labels == label)
        return found.bboxes[kept].cpu().numpy()

    return detect
