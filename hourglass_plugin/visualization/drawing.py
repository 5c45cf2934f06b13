"""Draw poses and heatmaps over images.

Images are BGR uint8 (H, W, 3), as OpenCV and mmcv load them. Joints are
0-based pixels, the centre of the top-left pixel being (0, 0).
"""
import colorsys

import cv2
import numpy as np

from ..skeletons import SKELETONS, Color, Skeleton

OUTLINE_COLOR: Color = (255, 255, 255)

#: OpenCV's places are multiples of 1 / 16 pixel.
_SHIFT = 4
_PART = 1 << _SHIFT
#: Coordinates beyond this, in pixels, are drawn as if they were there.
_FURTHEST = 1e6


def draw_pose(image: np.ndarray,
              keypoints: np.ndarray,
              scores: np.ndarray | None,
              skeleton: Skeleton,
              score_threshold: float = 0.2) -> np.ndarray:
    """Draw limbs and joints of one person or several.

    Lines grow with the person and have a white outline.

    Args:
        image: (H, W, 3) uint8, BGR. It is not changed.
        keypoints: (K, 2) or (N, K, 2) x and y in pixels; joints outside the
            image and joints that are not finite are allowed.
        scores: (K,) or (N, K) confidence of the joints, or their visibility;
            None draws every joint.
        skeleton: joints, limbs and colours.
        score_threshold: joints with a lower score, and their limbs, are not
            drawn.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        ValueError: if a shape does not fit.
    """
    canvas = image.copy()
    people = np.asarray(keypoints, dtype=np.float64).reshape(
        -1, skeleton.num_keypoints, 2)
    shown = np.all(np.isfinite(people), axis=-1)  # (N, K)
    if scores is not None:
        shown &= np.reshape(scores, shown.shape) >= score_threshold
    for joints, joints_shown in zip(people, shown):
        _draw_person(canvas, joints, joints_shown, skeleton)
    return canvas


def draw_number(image: np.ndarray, box: np.ndarray, number: int) -> None:
    """Draw a person's box and number into an image, in a colour of its own.

    Args:
        image: (H, W, 3) uint8, BGR; it is changed.
        box: (4,) left, top, right, bottom, in pixels.
        number: of the person, from 1; each keeps its colour.
    """
    color = _distinct_color(number - 1)[::-1]
    left, top, right, bottom = (round(float(x)) for x in box)
    width = max(1, round(0.004 * max(image.shape[:2])))
    cv2.rectangle(image, (left, top), (right, bottom), color, width,
                  cv2.LINE_AA)
    size = 0.0015 * max(image.shape[:2])
    place = (max(left, 0), max(top, round(24 * size)) - 2)
    for thickness, each in ((3 * width, OUTLINE_COLOR), (width, color)):
        cv2.putText(image, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, size,
                    each, thickness, cv2.LINE_AA)


def draw_heatmaps(image: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Draw one heatmap per joint, each in its own colour, over an image.

    The image is shown in grey. A heatmap covers the whole image.

    Args:
        image: (H, W, 3) uint8, BGR. It is not changed.
        heatmaps: (K, h, w) floats, from 0 (transparent) to 1 (four fifths).

    Returns:
        (H, W, 3) uint8, BGR.
    """
    heatmaps = np.asarray(heatmaps, dtype=np.float32)
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    canvas = np.repeat(0.6 * grey[..., None].astype(np.float32), 3, axis=2)
    for index, heatmap in enumerate(heatmaps):
        alpha = cv2.resize(
            heatmap, (width, height), interpolation=cv2.INTER_LINEAR)
        alpha = 0.8 * np.clip(alpha, 0, 1)[..., None]
        color = np.array(_distinct_color(index)[::-1], np.float32)
        canvas += alpha * (color - canvas)
    return np.rint(canvas).astype(np.uint8)


def skeleton_from_metainfo(metainfo: dict) -> Skeleton:
    """Return a dataset's skeleton, also of MMPose's own datasets.

    Args:
        metainfo: MMPose's parsed metainfo (``dataset.metainfo``,
            ``model.dataset_meta``).

    Returns:
        The skeleton of MPII, FLIC or LSP if the joints are the same,
        otherwise one with the joints and limbs of the metainfo.
    """
    names = metainfo['keypoint_id2name']
    joints = tuple(names[index] for index in range(len(names)))
    known = SKELETONS.get(metainfo['dataset_name'])
    if known is not None and known.joints == joints:
        return known
    return Skeleton(
        name=metainfo['dataset_name'],
        joints=joints,
        limbs=tuple((joints[a], joints[b])
                    for a, b in metainfo['skeleton_links']),
        evaluated={})


def _distinct_color(index: int) -> Color:
    """A bright RGB colour; the golden ratio keeps neighbours apart in hue."""
    red, green, blue = colorsys.hsv_to_rgb((index * 0.618034) % 1, 0.85, 1)
    return round(255 * red), round(255 * green), round(255 * blue)


def _draw_person(canvas: np.ndarray, joints: np.ndarray, shown: np.ndarray,
                 skeleton: Skeleton) -> None:
    """Draw one person's (K, 2) joints into ``canvas``."""
    if not shown.any():
        return
    # A joint far outside the image must not widen the lines inside it.
    height, width = canvas.shape[:2]
    inside = np.clip(joints[shown], 0, (width - 1, height - 1))
    size = np.ptp(inside, axis=0).max()
    line = max(round(0.02 * size), 2)
    outline = max(round(0.004 * size), 1)
    near = np.clip(np.nan_to_num(joints), -_FURTHEST, _FURTHEST)
    places = [(round(_PART * x), round(_PART * y)) for x, y in near.tolist()]
    for limb, (start, end) in zip(skeleton.limbs, skeleton.limb_indices):
        if shown[start] and shown[end]:
            for thickness, color in ((line + 2 * outline, OUTLINE_COLOR),
                                     (line, skeleton.limb_color(limb))):
                cv2.line(canvas, places[start], places[end], color[::-1],
                         thickness, cv2.LINE_AA, _SHIFT)
    for name, place, joint_shown in zip(skeleton.joints, places, shown):
        if joint_shown:
            for radius, color in ((0.8 * line + outline, OUTLINE_COLOR),
                                  (0.8 * line, skeleton.joint_color(name))):
                cv2.circle(canvas, place, round(_PART * radius), color[::-1],
                           cv2.FILLED, cv2.LINE_AA, _SHIFT)
