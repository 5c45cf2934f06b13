"""Boxes of people from one of MMDetection's detectors."""
from collections.abc import Callable

import numpy as np
import torch


def mmdet_detector(config: str,
                   checkpoint: str,
                   device: str | torch.device = 'cpu',
                   score_threshold: float = 0.3,
                   label: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from an image to the boxes of the people in it.

    From (H, W, 3) uint8, BGR, to (N, 4) left, top, right, bottom in pixels.

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
