"""Images of one person, cut out of larger ones, and sheets of many."""
from collections.abc import Sequence

import cv2
import numpy as np

from ..skeletons import Skeleton
from .drawing import draw_pose

_OUTSIDE = (96, 96, 96)
_GAP = 8
_CAPTION_HEIGHT = 22
_TITLE_HEIGHT = 36


def crop_region(image: np.ndarray, center: np.ndarray, scale: np.ndarray,
                height: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a region out of an image and resize it to a given height.

    Args:
        image: (H, W, 3) uint8.
        center: (2,) x and y of the region's centre, in pixels.
        scale: (2,) width and height of the region, in pixels. It may reach
            beyond the image, where the result is grey.
        height: height of the result, in pixels.

    Returns:
        The region, (height, w, 3) uint8, and the (2, 3) matrix from pixels of
        the image to pixels of the region.
    """
    center = np.asarray(center, dtype=np.float64).reshape(2)
    scale = np.asarray(scale, dtype=np.float64).reshape(2)
    zoom = height / scale[1]
    matrix = np.column_stack(
        [zoom * np.eye(2), -zoom * (center - scale / 2)])
    if zoom < 1:
        # warpAffine picks pixels instead of averaging them: blur first.
        image = cv2.GaussianBlur(image, (0, 0), 0.5 / zoom)
    region = cv2.warpAffine(
        image, matrix, (max(round(scale[0] * zoom), 1), height),
        flags=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_LINEAR,
        borderValue=_OUTSIDE)
    return region, matrix


def draw_cropped_poses(
    image: np.ndarray, center: np.ndarray, scale: np.ndarray, height: int,
    skeleton: Skeleton, poses: Sequence[tuple[np.ndarray, np.ndarray | None,
                                              float]]
) -> np.ndarray:
    """Draw poses over a region of an image, side by side.

    Args:
        image: (H, W, 3) uint8, BGR.
        center: (2,) x and y of the region's centre, in pixels.
        scale: (2,) width and height of the region, in pixels.
        height: of the result, in pixels.
        skeleton: joints, limbs and colours.
        poses: keypoints (..., K, 2) in pixels of ``image``, scores and score
            threshold of :func:`~.drawing.draw_pose`.

    Returns:
        (height, w, 3) uint8, BGR.
    """
    region, matrix = crop_region(image, center, scale, height)
    return side_by_side([
        draw_pose(
            region,
            np.asarray(keypoints)[..., :2] @ matrix[:, :2].T + matrix[:, 2],
            scores, skeleton, threshold)
        for keypoints, scores, threshold in poses])


def side_by_side(images: Sequence[np.ndarray]) -> np.ndarray:
    """Join images (H, w, 3) of one height in a row, with white gaps."""
    gap = np.full((len(images[0]), 2, 3), 255, np.uint8)
    parts = [part for image in images for part in (gap, image)]
    return np.hstack(parts[1:])


def contact_sheet(images: Sequence[np.ndarray],
                  columns: int,
                  captions: Sequence[str] | None = None,
                  title: str = '') -> np.ndarray:
    """Arrange images in rows on white, in cells as large as the largest.

    Args:
        images: at least one (H, W, 3) uint8 array, BGR, of any size; smaller
            ones are centred in their cells.
        columns: number of cells per row.
        captions: a line below each image, cut to its width.
        title: line above everything.

    Returns:
        The sheet, (H, W, 3) uint8, BGR.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    cell_height = max(image.shape[0] for image in images)
    cell_width = max(image.shape[1] for image in images)
    row_height = cell_height + _GAP + (_CAPTION_HEIGHT if captions else 0)
    top = _GAP + (_TITLE_HEIGHT if title else 0)
    sheet = np.full(
        (top + rows * row_height, _GAP + columns * (cell_width + _GAP), 3),
        255, np.uint8)
    _write(sheet, title, _GAP, _TITLE_HEIGHT - 10, sheet.shape[1], 0.6)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        y = top + row * row_height
        x = _GAP + column * (cell_width + _GAP)
        height, width = image.shape[:2]
        if captions:
            _write(sheet, captions[index], x, y + cell_height + 16,
                   cell_width, 0.45)
        y += (cell_height - height) // 2
        x += (cell_width - width) // 2
        sheet[y:y + height, x:x + width] = image
    return sheet


def _write(sheet: np.ndarray, text: str, x: int, baseline: int, width: int,
           size: float) -> None:
    """Write one line, cut to ``width`` pixels."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    while text and cv2.getTextSize(text, font, size, 1)[0][0] > width:
        text = text[:-1]
    cv2.putText(sheet, text, (x, baseline), font, size, (40, 40, 40), 1,
                cv2.LINE_AA)
