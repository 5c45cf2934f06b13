"""From the photograph's file to a person's crop, in one step."""
from typing import Optional

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import flip_bbox, get_warp_matrix
from mmpose.structures.keypoint import flip_keypoints

from .image_io import DecodedImage, load_image, unusable

# Pixels of a side up to which OpenCV warps images.
_LARGEST = 32766
# Pixels of an image per pixel of the crop up to which a fourth channel is
# added in less time than it saves.
_SMALL = 4


@TRANSFORMS.register_module()
class TopdownCrop(BaseTransform):
    """Read, mirror, turn and crop at once.

    Does what MMPose's ``LoadImage``, ``RandomFlip`` and ``TopdownAffine`` do
    one after the other, with the same results: ``img``, ``img_path``,
    ``img_shape``, ``ori_shape``, ``flip``, ``flip_direction``,
    ``input_size``, ``input_center``, ``input_scale``,
    ``transformed_keypoints`` and, in the mirrored photograph's pixels where
    it is mirrored, ``bbox``, ``bbox_center``, ``bbox_scale``, ``keypoints``
    and ``keypoints_visible``. It comes after the transforms that choose the
    crop: a photograph is decoded only when that is known, and warped once.

    Args:
        input_size: (W, H) of the crop in pixels.
        reduced_decoding: decode JPEG at a half, a quarter or an eighth of
            its size where the box has at least the crop's size even then,
            in both directions. Faster, and smoother than the bilinear crop
            of a larger photograph; for training.
        backend_args: of ``mmengine.fileio``, for files that are elsewhere.

    Raises:
        ValueError: if ``input_size`` is not two positive whole numbers, a
            record has the boxes of several people, a box has no part of the
            image, or the image has another size than its annotations are for.
    """

    def __init__(self,
                 input_size: tuple[int, int],
                 reduced_decoding: bool = False,
                 backend_args: Optional[dict] = None) -> None:
        if len(input_size) != 2 or any(
                int(side) != side or side < 1 for side in input_size):
            raise ValueError('input_size must be two whole numbers, width and '
                             f'height, but is {input_size}')
        self.input_size = int(input_size[0]), int(input_size[1])
        self.reduced_decoding = reduced_decoding
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Crop one person.

        Needs ``img_path`` or ``img``, and ``bbox_center`` and ``bbox_scale``,
        (1, 2) in pixels; uses ``mirror``, ``bbox_rotation`` (1,) in degrees,
        ``keypoints`` (1, K, 2) and ``annotated_size``, width and height of
        the image in the annotation file, where they are there.
        """
        if results['bbox_center'].shape != (1, 2):
            raise ValueError('TopdownCrop crops one person at a time, but '
                             'bbox_center has the shape '
                             f'{results["bbox_center"].shape}')
        results['bbox_scale'] = _widened(results['bbox_scale'],
                                         self.input_size)
        photograph = self._photograph(results)
        _check_box(results, photograph.size)
        _check_size(results, photograph.size)
        results['img_shape'] = photograph.size[::-1]
        results['ori_shape'] = photograph.size[::-1]
        mirrored = results.pop('mirror', None)
        if mirrored is not None:
            results['flip'] = mirrored
            results['flip_direction'] = 'horizontal' if mirrored else None
        if mirrored:
            _mirror_annotations(results, photograph.size)

        center, scale = results['bbox_center'][0], results['bbox_scale'][0]
        rotation = results.get('bbox_rotation', [0.0])[0]
        matrix = get_warp_matrix(center, scale, rotation, self.input_size)
        if results.get('keypoints') is not None:
            moved = results['keypoints'].copy()
            moved[..., :2] = cv2.transform(moved[..., :2], matrix)
            results['transformed_keypoints'] = moved
        results['img'] = _warp(
            photograph.pixels,
            _from_decoded_pixels(matrix, photograph, bool(mirrored)),
            self.input_size)
        results['input_size'] = self.input_size
        results['input_center'] = center
        results['input_scale'] = scale
        return results

    def _photograph(self, results: dict) -> DecodedImage:
        """The photograph that is there already, or the file's."""
        if results.get('img') is not None:
            results.setdefault('img_path', None)
            return DecodedImage(results['img'], results['img'].shape[1::-1])
        max_factor = 1.0
        if self.reduced_decoding:
            max_factor = (results['bbox_scale'] / self.input_size).min()
        return load_image(results['img_path'], max_factor,
                               self.backend_args)


def _widened(scale: np.ndarray, input_size: tuple[int, int]) -> np.ndarray:
    """Boxes' sizes (1, 2), one side enlarged to the crop's proportions."""
    aspect = input_size[0] / input_size[1]
    width, height = np.hsplit(scale, 2)
    return np.where(width > height * aspect,
                    np.hstack([width, width / aspect]),
                    np.hstack([height * aspect, height]))


def _check_box(results: dict, size: tuple[int, int]) -> None:
    """Refuse a box that no angle turns to a part of the image."""
    center, scale = results['bbox_center'][0], results['bbox_scale'][0]
    nearest = np.clip(center, 0, size)
    # Written so that NaN is refused.
    if not (0 < scale.min() and scale.max() < np.inf
            and np.hypot(*(nearest - center)) < np.hypot(*scale) / 2):
        raise ValueError(
            unusable(
                f'a box of {scale[0]:g} x {scale[1]:g} pixels around '
                f'({center[0]:g}, {center[1]:g}) is empty or lies outside of '
                f'the image, {size[0]} x {size[1]} pixels',
                results.get('img_path')))


def _check_size(results: dict, size: tuple[int, int]) -> None:
    """Refuse an image of another size than the annotation file says.

    Width and height may be exchanged: some programs write those of a
    photograph before a camera's orientation tag is applied.
    """
    annotated = results.get('annotated_size', size)
    if sorted(annotated) != sorted(size):
        raise ValueError(
            unusable(
                f'it has {size[0]} x {size[1]} pixels, but width and height '
                f'in the annotation file are {annotated[0]} x {annotated[1]}, '
                'to which boxes are cut: correct them',
                results.get('img_path')))


def _mirror_annotations(results: dict, size: tuple[int, int]) -> None:
    """Move boxes and joints to the mirrored photograph; exchange sides."""
    for key, kind in (('bbox', 'xyxy'), ('bbox_center', 'center')):
        if results.get(key) is not None:
            results[key] = flip_bbox(results[key], size, kind)
    if results.get('keypoints') is not None:
        results['keypoints'], results['keypoints_visible'] = flip_keypoints(
            results['keypoints'], results['keypoints_visible'], size,
            results['flip_indices'])


def _from_decoded_pixels(matrix: np.ndarray, photograph: DecodedImage,
                         mirrored: bool) -> np.ndarray:
    """Let a matrix (2, 3) start from the pixels that were decoded.

    Args:
        matrix: from the whole, and mirrored, photograph to the crop.
        photograph: what was decoded, not mirrored.
        mirrored: whether ``matrix`` starts from the mirrored photograph.
    """
    factor = np.full(2, float(photograph.factor))
    shift = np.array(photograph.shift)
    if mirrored:
        factor[0] = -factor[0]
        shift[0] = photograph.size[0] - 1 - shift[0]
    return np.column_stack(
        [matrix[:, :2] * factor, matrix[:, :2] @ shift + matrix[:, 2]])


def _needed_part(
        image: np.ndarray, matrix: np.ndarray,
        size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The part of an image that a crop shows, and the matrix from there."""
    width, height = size
    corners = np.array([[[0, 0], [width, 0], [0, height], [width, height]]],
                       np.float64)
    seen = cv2.transform(corners, cv2.invertAffineTransform(matrix))[0]
    # One pixel more on each side is interpolated with.
    low = np.floor(seen.min(0)).astype(int) - 1
    high = np.ceil(seen.max(0)).astype(int) + 2
    left, top = np.clip(low, 0, np.array(image.shape[1::-1]) - 1)
    right, bottom = np.clip(high, (left + 1, top + 1), image.shape[1::-1])
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (left, top)
    return image[top:bottom, left:right], moved


def _warp(image: np.ndarray, matrix: np.ndarray,
          size: tuple[int, int]) -> np.ndarray:
    """Bilinear crop, black outside of the image."""
    if max(image.shape[:2]) > _LARGEST:
        image, matrix = _needed_part(image, matrix, size)
    if image.dtype != np.uint8 or image.shape[2:] != (3, ) or (
            image.size > 3 * _SMALL * size[0] * size[1]):
        return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
    # The same values in half the time: OpenCV is faster with four channels.
    image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    crop = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(crop, cv2.COLOR_BGRA2BGR)
