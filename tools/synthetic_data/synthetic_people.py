"""Draw cheerful people with exact joints, in the files of MPII.

The files are ``annotations/mpii_train.json`` and ``mpii_val.json`` (1-based
pixels; joints outside the image are -1, -1 with ``joints_vis`` 0),
``annotations/mpii_gt_val.mat`` (head boxes) and ``images/``, one person each.
"""
import json
from pathlib import Path
from typing import Any

import drawing
import numpy as np
from drawing import Color, disc, polygon, random_color, shade, stroke
from numpy.typing import ArrayLike
from scipy.io import savemat
from scipy.spatial.transform import Rotation
from synthetic import SyntheticDataset, image_name, image_rng

from hourglass_plugin.skeletons import MPII

#: Lengths of bones, and half widths, as shares of a person's height.
BONES = {
    'head': 0.19, 'neck': 0.045, 'trunk': 0.275, 'shoulder': 0.115,
    'hip': 0.065, 'upper_arm': 0.165, 'forearm': 0.15, 'thigh': 0.225,
    'shin': 0.215}  # yapf: disable

# Legs: share of people, and ranges in degrees: how far a thigh is spread, how
# far swung forward, how far its knee is bent.
_LEGS = {
    'standing': (0.4, (1, 12), (-8, 8), (0, 8)),
    'walking': (0.25, (1, 8), (-22, 30), (0, 35)),
    'jumping': (0.2, (15, 42), (-8, 20), (0, 30)),
    'running': (0.15, (1, 10), (-30, 65), (10, 85)),
}
# Arms: how far an upper arm is raised (180 is up), where to (0 aside, 90 in
# front), how far its elbow is bent.
_ARMS = {
    'hanging': (0.3, (8, 35), (-20, 60), (0, 45)),
    'aside': (0.25, (50, 105), (-15, 30), (0, 95)),
    'raised': (0.3, (115, 170), (-10, 30), (0, 75)),
    'akimbo': (0.15, (35, 60), (-20, 15), (70, 110)),
}

_LIMB_JOINTS = ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
_SKIN_TONES = [(196, 214, 245), (150, 180, 228), (100, 135, 198),
               (66, 92, 150), (46, 64, 104)]
_HAIR_TONES = [(28, 28, 34), (40, 62, 100), (110, 175, 215), (50, 90, 190),
               (170, 170, 176)]
# Names of the joints in MPII's evaluation file, in its order.
_MAT_NAMES = ('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
              'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri')


def rotation(axes: str, degrees: ArrayLike) -> np.ndarray:
    """Return the rotation (3, 3) about axes, such as x or zx, by angles."""
    return Rotation.from_euler(axes.upper(), degrees, degrees=True).as_matrix()


def sample_pose(rng: np.random.Generator) -> np.ndarray:
    """Draw the joints of a person who faces the viewer.

    Returns:
        (16, 3) in heights of the person, in the order of MPII: x to the
        person's left, y down, z forward; the pelvis is 0.
    """
    size = {
        name: length * float(np.clip(rng.normal(1, 0.06), 0.85, 1.15))
        for name, length in BONES.items()
    }
    chest = rotation('zx', rng.normal(0, (8, 8)))
    head = chest @ rotation('zx', rng.normal(0, (9, 6)))
    joints = dict(pelvis=np.zeros(3), thorax=chest @ (0, -size['trunk'], 0))
    joints['upper_neck'] = joints['thorax'] + chest @ (0, -size['neck'], 0)
    joints['head_top'] = joints['upper_neck'] + head @ (0, -size['head'], 0)
    for side, sign in (('left', 1), ('right', -1)):
        spread, swing, bend = _choose(rng, _LEGS)
        outward = -sign * spread
        hip = np.array([sign * size['hip'], 0.01, 0])
        knee = hip + rotation('zx', [outward, swing]) @ (0, size['thigh'], 0)
        shin = rotation('zx', [outward, swing - bend]) @ (0, size['shin'], 0)
        lift, around, bend = _choose(rng, _ARMS)
        upper_arm = rotation('yz', [-sign * around, -sign * lift]) @ (0, 1, 0)
        # The elbow bends inward, upward and forward.
        across = np.array([-sign * rng.uniform(0.2, 1), -1, rng.uniform(0.8)])
        across -= (across @ upper_arm) * upper_arm
        across /= np.linalg.norm(across)
        bend = np.radians(bend)
        forearm = np.cos(bend) * upper_arm + np.sin(bend) * across
        shoulder = chest @ (sign * size['shoulder'], 0.01, 0)
        shoulder += joints['thorax']
        elbow = shoulder + size['upper_arm'] * chest @ upper_arm
        joints.update({
            f'{side}_hip': hip,
            f'{side}_knee': knee,
            f'{side}_ankle': knee + shin,
            f'{side}_shoulder': shoulder,
            f'{side}_elbow': elbow,
            f'{side}_wrist': elbow + size['forearm'] * chest @ forearm
        })
    return np.stack([joints[name] for name in MPII.joints])


def _choose(rng: np.random.Generator, table: dict) -> list[float]:
    """Draw a row by its share, and a value from each of its ranges."""
    rows = list(table.values())
    row = rows[rng.choice(len(rows), p=[share for share, *_ in rows])]
    return [rng.uniform(*limits) for limits in row[1:]]


class _Person:
    """A posed person in an image.

    Args:
        rng: source of randomness.
        size: (W, H) of the image. One in eight people is partly outside, but
            the head, by whose box errors are measured.

    Attributes:
        height: of the standing person, px.
        joints: (16, 3) px: x, y and the distance towards the viewer.
    """

    def __init__(self, rng: np.random.Generator, size: np.ndarray) -> None:
        self._rng = rng
        # One in ten is seen from behind.
        yaw = rng.normal(0, 25) + 180 * (rng.random() < 0.1)
        self._view = rotation('zxy', [*rng.normal(0, (10, 5)), yaw])
        pose = sample_pose(rng) @ self._view.T
        low = pose[:, :2].min(0) - 0.05  # the body around the joints
        extent = pose[:, :2].max(0) + 0.05 - low
        self.height = np.min(size / extent) * rng.uniform(0.65, 0.98)
        if rng.random() < 0.12:
            self.height *= 1.5
        room = size - extent * self.height
        self.joints = pose * self.height
        self.joints[:, :2] += room * rng.uniform(0.1, 0.9, 2)
        self.joints[:, :2] -= low * self.height
        x1, y1, x2, y2 = self.head_box
        self.joints[:, :2] += np.maximum((2 - x1, 2 - y1), 0)
        self.joints[:, :2] -= np.maximum((x2, y2) - size + 3, 0)

    def _at(self, *names: str) -> np.ndarray:
        return self.joints[MPII.indices(names)]

    @property
    def head_box(self) -> np.ndarray:
        """(4,) px: x1, y1, x2, y2. Heads are round."""
        top, neck = self._at('head_top', 'upper_neck')[:, :2]
        middle, radius = (top + neck) / 2, np.linalg.norm(top - neck) / 2
        return np.concatenate([middle - radius, middle + radius])

    def draw(self, image: np.ndarray) -> None:
        """Draw all parts, the nearest last."""
        rng = self._rng
        skin = tuple(rng.choice(_SKIN_TONES).tolist())
        shirt, shoes = random_color(rng), random_color(rng)
        hue, apart = rng.random(), rng.uniform(0.3, 0.7)
        parts = []
        for side in ('left', 'right'):
            color = random_color(rng, hue=hue + (side == 'left') * apart)
            shoulder, elbow, wrist, hip, knee, ankle = self._at(
                *(f'{side}_{name}' for name in _LIMB_JOINTS))
            toe = ankle + self._view @ (0, 0.02, 0.07) * self.height
            parts += [((shoulder, elbow), 0.066, color),
                      ((elbow, wrist), 0.054, shade(color, 1.2)),
                      ((wrist, wrist), 0.075, skin),
                      ((hip, knee), 0.09, shade(color, 0.75)),
                      ((knee, ankle), 0.07, shade(color, 0.9)),
                      ((ankle, toe), 0.075, shoes)]
        parts.sort(key=lambda part: part[0][0][2] + part[0][1][2])
        behind = [part for part in parts if part[0][0][2] + part[0][1][2] < 0]
        for part in behind:
            self._limb(image, *part)
        self._draw_trunk(image, shirt, skin)
        self._draw_head(image, skin)
        for part in parts[len(behind):]:
            self._limb(image, *part)

    def _limb(self, image: np.ndarray, points: ArrayLike, width: float,
              color: Color) -> None:
        """Draw a stroke, its width in heights, with a darker outline."""
        places, width = np.asarray(points)[:, :2], width * self.height
        stroke(image, places, width + 2, shade(color, 0.45))
        stroke(image, places, width, color)

    def _draw_trunk(self, image: np.ndarray, shirt: Color,
                    skin: Color) -> None:
        neck = self._at('thorax', 'upper_neck')
        self._limb(image, neck, 0.07, skin)
        corners = self._at('left_shoulder', 'left_hip', 'right_hip',
                           'right_shoulder', 'left_shoulder')
        self._limb(image, corners, 0.07, shirt)
        polygon(image, corners[:, :2], shirt)
        if self._view[2, 2] > 0:
            for share in (0.2, 0.45, 0.7):  # buttons from thorax to pelvis
                place = neck[0] + share * (self._at('pelvis')[0] - neck[0])
                place += self._view[:, 2] * 0.04 * self.height
                disc(image, place[:2], 0.014 * self.height, shade(shirt, 0.4))

    def _draw_head(self, image: np.ndarray, skin: Color) -> None:
        hair = tuple(self._rng.choice(_HAIR_TONES).tolist())
        top, neck = self._at('head_top', 'upper_neck')[:, :2]
        middle, radius = (top + neck) / 2, np.linalg.norm(top - neck) / 2
        disc(image, middle, radius + 1, shade(hair, 0.6))
        disc(image, middle, radius, hair)
        if self._view[2, 2] < 0:
            return
        down = (neck - middle) / radius
        right = np.array([down[1], -down[0]])
        face = middle + (0.5 * self._view[0, 2] * right + 0.2 * down) * radius
        disc(image, face, 0.74 * radius, skin)
        for sign in (-1, 1):
            eye = face + (0.3 * sign * right - 0.12 * down) * radius
            disc(image, eye, 0.12 * radius, (40, 30, 30))
        smile = np.array([(0.33, 0.25), (0.18, 0.4), (-0.18, 0.4),
                          (-0.33, 0.25)]) @ (right, down)
        stroke(image, face + radius * smile, 0.1 * radius, (60, 50, 170))


def make_sample(seed: int, split: str,
                index: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw a person.

    The same arguments give the same pixels, whatever was drawn before.

    Returns:
        Image, (H, W, 3) uint8 BGR, and annotation in 0-based pixels:
        ``joints`` (16, 2), in the order of MPII; ``annotated`` (16,) bool, the
        joint lies in the image, hidden or not; MPII's rough ``center`` (2,)
        and ``scale``, person size over 200 px; ``head`` (4,) x1, y1, x2, y2.

    Raises:
        ValueError: if the split is unknown or a number is negative.
    """
    rng = image_rng(seed, split, index)
    height, width = rng.integers((200, 176), (281, 257)).tolist()
    image = drawing.background(rng, height, width)
    person = _Person(rng, np.array([width, height]))
    joints = person.joints[:, :2]
    person.draw(image)
    if rng.random() < 0.2:  # a ball in front of a leg
        place = joints[rng.integers(6)] + rng.normal(0, 9, 2)
        radius = rng.uniform(0.04, 0.09) * person.height
        disc(image, place, radius, random_color(rng))
        disc(image, place - 0.35 * radius, 0.25 * radius, (255, 255, 255))
    limit = np.array([width, height]) - 1
    extent = (joints.max(0) - joints.min(0)).max()
    scale = max(extent * 1.05, 0.8 * person.height) / 200
    scale *= float(np.clip(rng.normal(1, 0.05), 0.9, 1.12))
    # Above the middle: whoever crops moves it down by 15 * scale again.
    center = np.clip([joints.min(0), joints.max(0)], 0, limit).mean(0)
    center += rng.normal((0, -15 * scale), 4 * scale)
    return drawing.with_noise(rng, image), dict(
        joints=joints,
        annotated=((joints >= 0) & (joints <= limit)).all(1),
        center=np.clip(center, 0, limit),
        scale=scale,
        head=person.head_box)


def _write_annotations(folder: Path, drawn: dict[str, list[dict]]) -> None:
    """Write MPII's JSON files, and ``mpii_gt_val.mat``; 1-based pixels."""
    for split, people in drawn.items():
        head, joints, annotated = (
            np.stack([person[name] for person in people])
            for name in ('head', 'joints', 'annotated'))
        joints = np.round(joints + 1, 2)
        joints[~annotated] = -1
        (folder / f'mpii_{split}.json').write_text(
            json.dumps([
                dict(
                    image=image_name(split, index),
                    center=np.round(person['center'] + 1, 2).tolist(),
                    scale=round(person['scale'], 4),
                    joints=joints[index].tolist(),
                    joints_vis=annotated[index].astype(int).tolist())
                for index, person in enumerate(people)
            ]))
    names = np.empty((1, MPII.num_keypoints), object)
    names[0] = _MAT_NAMES
    savemat(
        str(folder / 'mpii_gt_val.mat'),
        dict(  # of the last split; missing joints are 0, 0
            headboxes_src=np.moveaxis(head.reshape(-1, 2, 2) + 1, 0, 2),
            pos_gt_src=np.moveaxis(joints * annotated[..., None], 0, 2),
            jnt_missing=(~annotated).T.astype(np.uint8),
            dataset_joints=names))


DATASET = SyntheticDataset(
    generator='hourglass_plugin synthetic people 2',
    annotations=('mpii_train.json', 'mpii_val.json', 'mpii_gt_val.mat'),
    draw=make_sample,
    write_annotations=_write_annotations)
