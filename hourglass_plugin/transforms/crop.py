"""From an image file to a person's crop, in one step."""
import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import flip_bbox, get_warp_matrix
from mmpose.structures.keypoint import flip_keypoints

from .image_io import DecodedImage, UnreadableImageError, load_image

# Pixels of a side up to which OpenCV warps images.
_LARGEST = 32766


@TRANSFORMS.register_module()
class TopdownCrop(BaseTransform):
    """Read, flip, rotate and crop an image at once.

    Does what MMPose's ``LoadImage``, ``RandomFlip`` and ``TopdownAffine`` do
    one after the other, with the same results. It comes after the transforms
    that choose the crop: an image is decoded only when the crop is known, and
    warped once.

    Args:
        input_size: (W, H) of the crop in pixels.
        reduced_decoding: decode JPEG at a half, a quarter or an eighth of
            its size where the box has at least the crop's size even then,
            in both directions. Faster, and smoother than the bilinear crop
            of a larger image; for training.

    Raises:
        ValueError: if ``input_size`` is not two positive integers, or a
            record has the boxes of several people.
        UnreadableImageError: if the image cannot be read, a box lies outside
            it, or it has another size than its annotations are for.
    """

    def __init__(self, input_size: tuple[int, int],
                 reduced_decoding: bool = False) -> None:
        if len(input_size) != 2 or any(
                int(side) != side or side < 1 for side in input_size):
            raise ValueError('input_size must be two positive integers, width '
                             f'and height, but is {input_size}')
        self.input_size = int(input_size[0]), int(input_size[1])
        self.reduced_decoding = reduced_decoding

    def transform(self, results: dict) -> dict:
        """Crop one person.

        Needs ``img_path`` or ``img``, and ``bbox_center`` and ``bbox_scale``,
        (1, 2) in pixels. Uses, if given, ``pending_flip``, ``bbox_rotation``
        (1,) in degrees, ``keypoints`` (1, K, 2) and ``annotated_size``, the
        image's width and height in the annotation file.
        """
        if results['bbox_center'].shape != (1, 2):
            raise ValueError('bbox_center must have shape (1, 2), one person, '
                             f'but has {results["bbox_center"].shape}')
        results['bbox_scale'] = TopdownAffine._fix_aspect_ratio(
            results['bbox_scale'], self.input_size[0] / self.input_size[1])
        image = self._load(results)
        _check_annotation(results, image)
        results['img_shape'] = results['ori_shape'] = image.size[::-1]
        flip = results.pop('pending_flip', None)
        if flip is not None:
            results['flip'] = flip
            results['flip_direction'] = 'horizontal' if flip else None
        if flip:
            _flip_annotations(results, image.size)

        center, scale = results['bbox_center'][0], results['bbox_scale'][0]
        rotation = results.get('bbox_rotation', [0.0])[0]
        matrix = get_warp_matrix(center, scale, rotation, self.input_size)
        if results.get('keypoints') is not None:
            moved = results['keypoints'].copy()
            moved[..., :2] = cv2.transform(moved[..., :2], matrix)
            results['transformed_keypoints'] = moved
        matrix = _from_decoded_pixels(matrix, image, bool(flip))
        # Black outside of the image.
        results['img'] = cv2.warpAffine(
            image.pixels, matrix, self.input_size, flags=cv2.INTER_LINEAR)
        results.update(
            input_size=self.input_size, input_center=center, input_scale=scale)
        return results

    def _load(self, results: dict) -> DecodedImage:
        """The image in the record or, without one, the file's."""
        if results.get('img') is not None:
            results.setdefault('img_path', None)
            return DecodedImage(results['img'], results['img'].shape[1::-1])
        max_factor = 1.0
        if self.reduced_decoding:
            max_factor = (results['bbox_scale'] / self.input_size).min()
        return load_image(results['img_path'], max_factor)


def _check_annotation(results: dict, image: DecodedImage) -> None:
    """Reject an image whose box or annotated size does not fit."""
    size = image.size
    # No rotation makes them overlap. Width and height may be exchanged: some
    # programs write those before a camera's orientation tag is applied.
    center, scale = results['bbox_center'][0], results['bbox_scale'][0]
    outside = np.hypot(*(np.clip(center, 0, size) - center))
    annotated = results.get('annotated_size', size)
    # Comparisons with NaN are false, so NaN is rejected.
    if not (0 < scale.min() and scale.max() < np.inf
            and outside < np.hypot(*scale) / 2):
        reason = (f'the box of width and height {scale.tolist()} around '
                  f'{center.tolist()} is empty or outside the image')
    elif sorted(annotated) != sorted(size):
        reason = (f'width and height in the annotation file are {annotated}, '
                  'to which boxes are cut; correct them')
    elif max(image.pixels.shape[:2]) > _LARGEST:
        reason = (f'OpenCV crops images of {_LARGEST} pixels a side at most; '
                  'resize it')
    else:
        return
    raise UnreadableImageError(
        results.get('img_path'), f'of {size[0]} x {size[1]} pixels: {reason}')


def _flip_annotations(results: dict, size: tuple[int, int]) -> None:
    """Flip boxes and keypoints, and exchange left and right keypoints."""
    for key, kind in (('bbox', 'xyxy'), ('bbox_center', 'center')):
        if results.get(key) is not None:
            results[key] = flip_bbox(results[key], size, kind)
    if results.get('keypoints') is not None:
        results['keypoints'], results['keypoints_visible'] = flip_keypoints(
            results['keypoints'], results['keypoints_visible'], size,
            results['flip_indices'])


def _from_decoded_pixels(matrix: np.ndarray, image: DecodedImage,
                         flip: bool) -> np.ndarray:
    """Convert a matrix (2, 3) from the whole image, flipped if ``flip``."""
    factor = np.full(2, float(image.factor))
    shift = np.array(image.shift)
    if flip:
        factor[0] = -factor[0]
        shift[0] = image.size[0] - 1 - shift[0]
    return np.column_stack(
        [matrix[:, :2] * factor, matrix[:, :2] @ shift + matrix[:, 2]])
