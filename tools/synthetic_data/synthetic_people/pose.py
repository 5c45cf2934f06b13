"""Builds and poses of synthetic people: from joint angles to joint positions.

Lengths are metres and angles degrees. A person stands at the origin of the
pelvis and looks along +z, with +y up and +x to the person's left; seen by a
camera in front, the person's left is at the right of the image.
"""
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hourglass_plugin.skeletons import MPII

#: +1 and -1 along the person's left.
SIDES = (('left', 1.0), ('right', -1.0))

Spread = tuple[float, float]
DOWN = np.array([0.0, -1.0, 0.0])
FORWARD = np.array([0.0, 0.0, 1.0])

# A ball joint (shoulder, hip) is told by the limb's elevation (0 hanging, 90
# level, 180 up), azimuth (0 forward, 90 to its own side, 180 backward) and
# twist about itself (how far an elbow's bend turns outward). Each number is
# (mean, standard deviation).
ARMS: dict[str, Mapping[str, Spread]] = {
    'hanging':
    dict(elevation=(10, 7), azimuth=(75, 35), twist=(0, 25), elbow=(14, 12)),
    'on_hips':
    dict(
        elevation=(42, 7), azimuth=(100, 12), twist=(-80, 10), elbow=(95, 10)),
    'raised':
    dict(elevation=(150, 18), azimuth=(75, 30), twist=(0, 40), elbow=(25, 25)),
    'sideways':
    dict(elevation=(85, 16), azimuth=(85, 20), twist=(10, 50), elbow=(20, 20)),
    'forward':
    dict(elevation=(75, 20), azimuth=(12, 20), twist=(0, 30), elbow=(25, 25)),
    'bent':
    dict(
        elevation=(25, 15), azimuth=(45, 30), twist=(-25, 25), elbow=(95, 25)),
    'at_head':
    dict(
        elevation=(115, 15), azimuth=(70, 15), twist=(90, 15),
        elbow=(125, 12)),
    'swung_forward':
    dict(elevation=(35, 12), azimuth=(5, 8), twist=(-15, 10), elbow=(85, 18)),
    'swung_back':
    dict(elevation=(42, 10), azimuth=(170, 8), twist=(0, 10), elbow=(75, 18)),
    'any':
    dict(elevation=(80, 55), azimuth=(60, 45), twist=(0, 50), elbow=(60, 45)),
}

_STRAIGHT: Mapping[str, Spread] = dict(
    elevation=(6, 4), azimuth=(70, 40), twist=(10, 8), knee=(6, 6))
#: For each name the leading and the trailing leg.
LEGS: dict[str, tuple[Mapping[str, Spread], Mapping[str, Spread]]] = {
    'standing': (_STRAIGHT, _STRAIGHT),
    'walking':
    (dict(elevation=(23, 7), azimuth=(5, 8), twist=(0, 6), knee=(10, 8)),
     dict(elevation=(18, 6), azimuth=(172, 6), twist=(0, 6), knee=(20, 12))),
    'running':
    (dict(elevation=(60, 15), azimuth=(5, 8), twist=(0, 6), knee=(80, 20)),
     dict(elevation=(20, 7), azimuth=(172, 6), twist=(0, 6), knee=(55, 25))),
    'sitting':
    (dict(elevation=(86, 8), azimuth=(12, 9), twist=(0, 10), knee=(85, 14)),
     dict(elevation=(86, 8), azimuth=(12, 9), twist=(0, 10), knee=(85, 14))),
    'squatting': (dict(
        elevation=(100, 12), azimuth=(22, 10), twist=(10, 10), knee=(115, 14)),
                  dict(
                      elevation=(100, 12),
                      azimuth=(22, 10),
                      twist=(10, 10),
                      knee=(115, 14))),
    'lunging':
    (dict(elevation=(76, 12), azimuth=(12, 12), twist=(0, 8), knee=(80, 14)),
     dict(elevation=(22, 6), azimuth=(168, 10), twist=(0, 8), knee=(30, 16))),
    'kicking':
    (dict(elevation=(72, 18), azimuth=(25, 30), twist=(0, 10),
          knee=(20, 16)), _STRAIGHT),
    'astride':
    (dict(elevation=(28, 9), azimuth=(88, 8), twist=(5, 8), knee=(8, 8)),
     dict(elevation=(28, 9), azimuth=(88, 8), twist=(5, 8), knee=(8, 8))),
    'kneeling':
    (dict(elevation=(80, 10), azimuth=(10, 8), twist=(0, 8), knee=(88, 10)),
     dict(elevation=(8, 8), azimuth=(30, 30), twist=(0, 6), knee=(92, 10))),
    'any':
    (dict(elevation=(45, 35), azimuth=(50, 40), twist=(5, 15), knee=(50, 40)),
     dict(elevation=(45, 35), azimuth=(50, 40), twist=(5, 15), knee=(50, 40))),
}

# How often each is drawn; swung arms come with strides.
_LEG_SHARES = dict(
    standing=24,
    walking=14,
    running=12,
    sitting=12,
    squatting=6,
    lunging=7,
    kicking=5,
    astride=9,
    kneeling=4,
    any=7)
_ARM_SHARES = dict(
    hanging=20,
    on_hips=9,
    raised=14,
    sideways=12,
    forward=9,
    bent=12,
    at_head=5,
    any=19)
#: How far the trunk leans forward.
LEANS: dict[str, Spread] = dict(
    upright=(3, 5), leaning=(22, 9), bent=(62, 18), arched=(-12, 6))
_LEAN_SHARES = dict(upright=62, leaning=22, bent=10, arched=6)

#: Share of the trunk's length that lies below the waist, where it bends.
WAIST = 0.42
#: Height (m) that the lengths below are told for.
ADULT = 1.72

#: Joint-angle limits.
LIMITS: dict[str, tuple[float, float]] = dict(
    elbow=(0, 145), knee=(0, 140), twist=(-95, 95))


@dataclass(frozen=True)
class Build:
    """Lengths (m) of a person; radii are multiplied by ``girth``."""

    height: float
    girth: float
    shoulder_half: float
    hip_half: float
    trunk: float
    neck: float
    head: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float


@dataclass(frozen=True)
class Figure:
    """A posed person.

    Attributes:
        joints: (16, 3) float64 positions (m) in the order of MPII.
        frames: axes of ``pelvis``, ``chest``, ``head``, of feet
            (``left_foot``, ...) and forearms (``left_forearm``, ...) as
            columns: left, up, forward.
        build: the lengths.
        legs: name of the legs' pose in :data:`LEGS`.
    """

    joints: np.ndarray
    frames: dict[str, np.ndarray]
    build: Build
    legs: str

    def joint(self, name: str) -> np.ndarray:
        """Position (3,) of a joint by its MPII name."""
        return self.joints[MPII.joints.index(name)]


def rotation(axis: str, degrees: float) -> np.ndarray:
    """Right-handed rotation matrix (3, 3) about ``x``, ``y`` or ``z``."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    if axis == 'x':
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == 'y':
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    if axis == 'z':
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    raise ValueError(f"axis must be 'x', 'y' or 'z', got {axis!r}")


def ball_joint(side: float, elevation: float, azimuth: float,
               twist: float) -> np.ndarray:
    """Rotation (3, 3) of a limb against its parent.

    The limb is moved without spinning, so with no twist an elbow bends
    forward whether the arm hangs or is held out.
    """
    return (rotation('y', side * azimuth) @ rotation('x', -elevation)
            @ rotation('y', side * (twist - azimuth)))


def sample_build(rng: np.random.Generator) -> Build:
    """Adults, and now and then a child with a relatively large head."""
    height = rng.normal(ADULT, 0.09)
    child = rng.random() < 0.12
    if child:
        height = rng.normal(1.25, 0.12)
    legs = rng.normal(1, 0.03) * (0.95 if child else 1)
    arms = rng.normal(1, 0.03)
    unit = height / ADULT
    return Build(
        height=height,
        girth=unit * float(np.clip(rng.normal(1.0, 0.14), 0.75, 1.4)),
        shoulder_half=0.175 * unit * rng.normal(1, 0.06),
        hip_half=0.10 * unit * rng.normal(1, 0.06),
        trunk=0.50 * unit * rng.normal(1, 0.03),
        neck=0.09 * unit,
        head=(0.24 if not child else 0.235) * unit**(0.3 if child else 1) *
        rng.normal(1, 0.03),
        upper_arm=0.295 * unit * arms,
        forearm=0.255 * unit * arms,
        thigh=0.425 * unit * legs,
        shin=0.41 * unit * legs)


def _draw(rng: np.random.Generator,
          spread: Mapping[str, Spread]) -> dict[str, float]:
    angles = {name: rng.normal(*pair) for name, pair in spread.items()}
    for name, limits in LIMITS.items():
        if name in angles:
            angles[name] = float(np.clip(angles[name], *limits))
    return angles


def _choose(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    weights = np.array(list(shares.values()), float)
    return list(shares)[rng.choice(len(weights), p=weights / weights.sum())]


def _limit_ball(angles: dict[str, float], arm: bool) -> None:
    """A limb swings far to the front and the side, not to the back."""
    furthest = (175, 55) if arm else (125, 28)
    angles['azimuth'] = float(np.clip(angles['azimuth'], -25, 178))
    backward = np.clip((angles['azimuth'] - 95) / 75, 0, 1)
    limit = furthest[0] + backward * (furthest[1] - furthest[0])
    if not arm and 50 < angles['azimuth'] <= 95:
        limit = min(limit, 65)  # a split is not for everybody
    angles['elevation'] = float(np.clip(angles['elevation'], 0, limit))


def sample_figure(rng: np.random.Generator) -> Figure:
    """Draw a person's build and pose."""
    build = sample_build(rng)
    legs = _choose(rng, _LEG_SHARES)
    roles = rng.permutation(2)  # of left and right: 0 leads, 1 trails
    joints: dict[str, np.ndarray] = {'pelvis': np.zeros(3)}
    frames: dict[str, np.ndarray] = {'pelvis': np.eye(3)}
    _pose_legs(rng, build, legs, roles, joints, frames)
    _pose_trunk(rng, build, legs, joints, frames)
    _pose_arms(rng, build, legs, roles, joints, frames)
    return Figure(
        joints=np.stack([joints[name] for name in MPII.joints]),
        frames=frames,
        build=build,
        legs=legs)


def _pose_legs(rng: np.random.Generator, build: Build, legs: str,
               roles: np.ndarray, joints: dict[str, np.ndarray],
               frames: dict[str, np.ndarray]) -> None:
    """Add hips, knees, ankles and the frames of the feet."""
    tilt = rotation('z', rng.normal(0, 4))
    for (side, sign), role in zip(SIDES, roles):
        angles = _draw(rng, LEGS[legs][role])
        _limit_ball(angles, arm=False)
        thigh = ball_joint(sign, angles['elevation'], angles['azimuth'],
                           angles['twist'])
        shin = thigh @ rotation('x', angles['knee'])
        hip = tilt @ np.array([sign * build.hip_half, 0, 0])
        knee = hip + build.thigh * thigh @ DOWN
        joints[f'{side}_hip'] = hip
        joints[f'{side}_knee'] = knee
        joints[f'{side}_ankle'] = knee + build.shin * shin @ DOWN
        pointed = rotation('x', rng.normal(8, 10))
        outward = rotation('y', sign * abs(rng.normal(8, 8)))
        frames[f'{side}_foot'] = shin @ pointed @ outward


def _pose_trunk(rng: np.random.Generator, build: Build, legs: str,
                joints: dict[str, np.ndarray],
                frames: dict[str, np.ndarray]) -> None:
    """Add thorax, neck, top of the head and the frames of chest and head."""
    lean = rng.normal(*LEANS[_choose(rng, _LEAN_SHARES)])
    if legs in ('running', 'squatting'):
        lean += 15  # keeps the balance
    lean = np.clip(lean, -20, 95)
    sideways = rotation('z', rng.normal(0, 7))
    lower = sideways @ rotation('x', 0.75 * lean)
    chest = (
        sideways @ rotation('z', rng.normal(0, 5)) @ rotation('x', lean)
        @ rotation('y', rng.normal(0, 14)))
    joints['thorax'] = build.trunk * (
        WAIST * lower[:, 1] + (1 - WAIST) * chest[:, 1])
    # Who leans forward lifts the head.
    neck = chest @ rotation('x', rng.normal(12, 6) - 0.25 * lean)
    head = (
        neck @ rotation('y', np.clip(rng.normal(0, 28), -70, 70)) @ rotation(
            'x', np.clip(rng.normal(-4, 14), -40, 40)) @ rotation(
                'z', rng.normal(0, 8)))
    joints['upper_neck'] = joints['thorax'] + build.neck * neck[:, 1]
    joints['head_top'] = joints['upper_neck'] + build.head * head[:, 1]
    frames.update(chest=chest, head=head)


def _pose_arms(rng: np.random.Generator, build: Build, legs: str,
               roles: np.ndarray, joints: dict[str, np.ndarray],
               frames: dict[str, np.ndarray]) -> None:
    """Add shoulders, elbows, wrists and the frames of the forearms.

    An arm that passes through the trunk or the head is drawn again.
    """
    chest = frames['chest']
    both = _choose(rng, _ARM_SHARES)
    for (side, sign), role in zip(SIDES, roles):
        name = both if rng.random() < 0.6 else _choose(rng, _ARM_SHARES)
        if legs == 'running' or (legs == 'walking' and rng.random() < 0.6):
            # The arm swings against the leg of its side.
            name = ('swung_back', 'swung_forward')[role]
        for _ in range(12):
            angles = _draw(rng, ARMS[name])
            _limit_ball(angles, arm=True)
            upper = chest @ ball_joint(sign, angles['elevation'],
                                       angles['azimuth'], angles['twist'])
            forearm = upper @ rotation('x', -angles['elbow'])
            # A raised arm lifts the shoulder and brings it closer.
            lift = 0.05 * np.clip((angles['elevation'] - 60) / 100, 0, 1)
            shoulder = joints['thorax'] + chest @ np.array([
                sign * build.shoulder_half * (1 - 1.5 * lift),
                (lift - 0.012) * build.height / ADULT, 0
            ])
            elbow = shoulder + build.upper_arm * upper @ DOWN
            wrist = elbow + build.forearm * forearm @ DOWN
            fingers = wrist + 0.6 * build.neck * forearm @ DOWN
            if not any(
                    _in_trunk_or_head(point, build, joints, chest)
                    for point in (elbow, (elbow + wrist) / 2, wrist, fingers)):
                break
        joints[f'{side}_shoulder'] = shoulder
        joints[f'{side}_elbow'] = elbow
        joints[f'{side}_wrist'] = wrist
        frames[f'{side}_forearm'] = forearm


def _in_trunk_or_head(point: np.ndarray, build: Build,
                      joints: Mapping[str, np.ndarray],
                      chest: np.ndarray) -> bool:
    """Whether a point (3,) lies in two solids about as large as these."""
    waist = joints['thorax'] - (1 - WAIST) * build.trunk * chest[:, 1]
    in_trunk = chest.T @ (point - (waist + joints['thorax']) / 2)
    in_trunk /= np.array([0.155, 0.34, 0.115]) * build.girth
    in_head = point - (joints['upper_neck'] + joints['head_top']) / 2
    return bool(in_trunk @ in_trunk < 1
                or np.linalg.norm(in_head) < 0.42 * build.head)


def sample_view(rng: np.random.Generator) -> np.ndarray:
    """Rotation (3, 3) from person to camera.

    Mostly seen from the front or the back, often from a side, now and then
    upside down.
    """
    kind = rng.random()
    if kind < 0.42:
        yaw = rng.normal(0, 30)
    elif kind < 0.66:
        yaw = rng.normal(180, 30)
    else:
        yaw = rng.uniform(-180, 180)
    roll = rng.normal(0, 7)
    if rng.random() < 0.06:
        roll = rng.uniform(-180, 180)
    pitch = rng.normal(6, 8)
    return rotation('z', roll) @ rotation('x', pitch) @ rotation('y', yaw)
