"""Draws a posed and dressed person onto a canvas."""
import numpy as np
from numpy.typing import ArrayLike

from synthetic_people.canvas import Canvas, Paint
from synthetic_people.clothing import Fabric, Outfit
from synthetic_people.pose import ADULT, SIDES, WAIST, Figure

_WHITE = np.array([235, 235, 235], np.float32)
_DARK = np.array([28, 26, 32], np.float32)
_LIPS = np.array([90, 85, 165], np.float32)

# Height of the hairline at the back of the head, behind and before the ears
# and at the forehead, in half heights of the skull.
_HAIRLINES = dict(
    bald=(1.2, 1.3, 1.4, 1.5),
    short=(-0.55, -0.4, 0.2, 0.62),
    long=(-1, -0.8, 0.0, 0.55))
# Place and half lengths of hair that hangs or is tied, in lengths of the head.
_LOCKS = dict(
    long=((0, -0.28, -0.20), (0.36, 0.55, 0.24)),
    bob=((0, -0.10, -0.14), (0.39, 0.40, 0.32)),
    ponytail=((0, -0.10, -0.52), (0.10, 0.36, 0.12)),
    bun=((0, 0.40, -0.34), (0.16, 0.15, 0.16)))


class Projection:
    """Orthographic view of a person.

    Args:
        view: (3, 3) rotation from person to camera.
        pixels_per_metre: size.
        origin: (2,) place of the pelvis in the image, px.
    """

    def __init__(self, view: np.ndarray, pixels_per_metre: float,
                 origin: np.ndarray) -> None:
        # The image's y grows downward.
        self.matrix = np.diag([1.0, -1.0, 1.0]) @ view * pixels_per_metre
        self.origin = np.array([origin[0], origin[1], 0.0])
        self.scale = pixels_per_metre

    def points(self, metres: np.ndarray) -> np.ndarray:
        """(..., 3) m to (..., 3) px: x, y and depth towards the viewer."""
        return metres @ self.matrix.T + self.origin

    def axes(self, frame: np.ndarray, lengths: ArrayLike) -> np.ndarray:
        """Half axes (columns, px) of a solid along a frame (lengths: m)."""
        return self.matrix @ (frame * np.asarray(lengths))


def draw_person(canvas: Canvas, figure: Figure, outfit: Outfit,
                projection: Projection) -> None:
    """Draw a person over what is on the canvas."""
    canvas.start_person()
    painter = _Painter(canvas, figure, outfit, projection)
    painter.trunk()
    for side, sign in SIDES:
        painter.leg(side, sign)
        painter.arm(side, sign)
    painter.skirt()
    painter.head()


def head_box(figure: Figure, projection: Projection) -> np.ndarray:
    """Box (4,) of the bare head: x1, y1, x2, y2 in px."""
    center, axes = _head_solid(figure, projection)
    half = np.sqrt((axes**2).sum(1))[:2]
    return np.concatenate([center[:2] - half, center[:2] + half])


def _head_middle(figure: Figure) -> np.ndarray:
    """Centre (3,) m: faces are in front of the line from neck to top."""
    middle = (figure.joint('upper_neck') + figure.joint('head_top')) / 2
    return middle + 0.06 * figure.build.head * figure.frames['head'][:, 2]


def _head_solid(figure: Figure,
                projection: Projection) -> tuple[np.ndarray, np.ndarray]:
    """Centre (3,) and half axes (3, 3) px of the skull."""
    lengths = np.array([0.33, 0.5, 0.41]) * figure.build.head
    return (projection.points(_head_middle(figure)),
            projection.axes(figure.frames['head'], lengths))


class _Painter:
    """One person's parts; lengths in metres until they are projected."""

    def __init__(self, canvas: Canvas, figure: Figure, outfit: Outfit,
                 projection: Projection) -> None:
        self.canvas = canvas
        self.figure = figure
        self.outfit = outfit
        self.projection = projection
        self.girth = figure.build.girth

    def _limb(self,
              start: np.ndarray,
              end: np.ndarray,
              radii: ArrayLike,
              paint: Paint,
              gloss: float = 0.0) -> None:
        self.canvas.limb(
            self.projection.points(start), self.projection.points(end),
            np.asarray(radii) * self.girth * self.projection.scale, paint,
            gloss)

    def _ball(self,
              center: np.ndarray,
              frame: np.ndarray,
              lengths: ArrayLike,
              paint: Paint,
              gloss: float = 0.0,
              flatten: float = 1.0) -> None:
        self.canvas.ellipsoid(
            self.projection.points(center),
            self.projection.axes(frame, lengths), paint, gloss, flatten)

    def _sleeve(self, cloth: Fabric, covered: float, length: float,
                offset: float) -> Paint:
        """Paint of a limb: cloth up to a share of its length, then skin."""
        skin = self.outfit.skin

        def paint(share: np.ndarray, across: np.ndarray,
                  _: np.ndarray) -> np.ndarray:
            fabric = cloth(0.07 * np.arcsin(np.clip(across, -1, 1)),
                           offset + share * length)
            # The hem is drawn darker: it casts a shadow.
            fabric *= np.where(share > covered - 0.06, 0.8, 1.0)[:, None]
            return np.where((share < covered)[:, None], fabric, skin)

        return paint

    def trunk(self) -> None:
        """A stack of ellipsoids along the spine, from hips to shoulders."""
        figure, outfit, build = self.figure, self.outfit, self.figure.build
        chest, pelvis = figure.frames['chest'], figure.frames['pelvis']
        thorax = figure.joint('thorax')
        waist = thorax - (1 - WAIST) * build.trunk * chest[:, 1]
        hips, shoulders = build.hip_half, build.shoulder_half
        loose = 0.6 + 0.4 * outfit.loose
        # Share of the trunk's height, half width, half depth.
        shares, widths, depths = np.array([
            (-0.06, hips * 1.30, 0.100), (0.08, hips * 1.42, 0.106),
            (0.25, hips * 1.28 * loose, 0.098 * loose),
            (WAIST, hips * 1.22 * loose, 0.092 * loose),
            (0.58, shoulders * 0.84 * loose, 0.102 * loose),
            (0.74, shoulders * 0.97, 0.112), (0.91, shoulders * 0.86, 0.094)
        ]).T
        for share in np.linspace(-0.06, 0.91, 7):
            width = float(np.interp(share, shares, widths))
            width *= 0.5 + 0.5 * self.girth
            depth = float(np.interp(share, shares, depths)) * self.girth
            lower = min(share / WAIST, 1.0)
            upper = max(share - WAIST, 0.0) / (1 - WAIST)
            center = lower * waist + upper * (thorax - waist)
            height = (0.24 if share < 0.8 else 0.18) * build.trunk
            self._ball(
                center,
                _between(pelvis, chest, np.clip(lower, 0, 1)),
                (width, height, depth),
                self._trunk_paint(share, height / build.trunk, width),
                flatten=0.15)
        self._shoulders_and_neck()
        if outfit.backpack is not None:
            self._backpack(outfit.backpack, waist, thorax, chest)

    def _shoulders_and_neck(self) -> None:
        figure, outfit = self.figure, self.outfit
        thorax, up = figure.joint('thorax'), figure.frames['chest'][:, 1]

        def cloth(share: np.ndarray, across: np.ndarray,
                  _: np.ndarray) -> np.ndarray:
            return outfit.top(0.05 * across, 0.05 * share)

        def collar(share: np.ndarray, across: np.ndarray,
                   _: np.ndarray) -> np.ndarray:
            covered = share < 0.15 * (1 - outfit.neckline)
            return np.where(covered[:, None], outfit.top(across, share),
                            outfit.skin * 0.92)

        for side, _ in SIDES:
            self._limb(thorax + 0.2 * figure.build.neck * up,
                       figure.joint(f'{side}_shoulder'), (0.062, 0.060, 0.055),
                       cloth)
        self._limb(thorax,
                   figure.joint('upper_neck') + 0.03 * up,
                   (0.062, 0.054, 0.055), collar)

    def _trunk_paint(self, share: float, half_height: float,
                     width: float) -> Paint:
        """Paint of a slice of the trunk around a share of its height."""
        outfit = self.outfit
        belt = 0.32 * WAIST

        def paint(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            up = share + y * half_height  # 0 hips, 1 shoulders
            around = np.arctan2(x, z) * 0.15
            colors = np.where((up < belt)[:, None],
                              outfit.bottom(around, up * 0.5),
                              outfit.top(around, up * 0.5))
            side = x * width  # metres to the person's left
            front = z > 0
            if outfit.front == 'buttons':
                dot = (np.abs(side) < 0.012) & (up * 10 % 1 < 0.35)
                colors[front & dot & (up > belt)] = outfit.top.second
            elif outfit.front == 'zip':
                line = front & (np.abs(side) < 0.010) & (up > belt)
                colors[line] = outfit.top.color * 0.45
            elif outfit.front == 'print':
                badge = (side / 0.08)**2 + ((up - 0.7) / 0.13)**2 < 1
                colors[front & badge] = outfit.top.second
            elif outfit.front == 'open':
                shirt = front & (np.abs(side) < 0.05) & (up > belt)
                colors[shirt] = _WHITE
            elif outfit.front == 'tie':
                strip = (np.abs(side) < 0.014 + 0.012 * (0.9 - up))
                colors[front & strip & (up > 0.3)] = outfit.top.second * 0.7
            # Neckline: deep in front, shallow behind.
            bottom = np.where(front, 0.97 - 0.16 * outfit.neckline, 0.97)
            colors[up > bottom + np.abs(side) * 1.6] = outfit.skin
            on_belt = np.abs(up - belt) < 0.025
            colors[on_belt] *= 0.55
            return colors

        return paint

    def _backpack(self, color: np.ndarray, waist: np.ndarray,
                  thorax: np.ndarray, chest: np.ndarray) -> None:

        def bag(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            seams = (y > 0.15) & (y < 0.25) | (z < -0.6) & (y < -0.1)
            return np.where(seams[:, None], color * 0.7, color)

        middle = 0.45 * waist + 0.55 * thorax - 0.16 * chest[:, 2]
        self._ball(middle, chest, (0.14, 0.23, 0.10), bag, flatten=0.5)
        for _, sign in SIDES:
            strap = sign * 0.10 * chest[:, 0] + 0.085 * chest[:, 2]
            self._limb(waist * 0.5 + thorax * 0.5 + strap,
                       thorax + strap * 0.7, (0.022, 0.022),
                       _plain(color * 0.8))

    def leg(self, side: str, sign: float) -> None:
        """Thigh, shin and foot."""
        figure, outfit = self.figure, self.outfit
        hip, knee, ankle = (
            figure.joint(f'{side}_{name}')
            for name in ('hip', 'knee', 'ankle'))
        covered = outfit.trousers
        wide = outfit.loose if covered > 1 else 1.0
        if outfit.skirt:
            covered, wide = 0.0, 1.0
        build = figure.build
        top = hip + sign * 0.012 * figure.frames['pelvis'][:, 0]
        self._limb(top, knee,
                   np.array([0.088, 0.084, 0.070, 0.056]) * (0.5 + 0.5 * wide),
                   self._sleeve(outfit.bottom, covered, build.thigh, 0.5))
        calf = np.array([0.054, 0.060, 0.050, 0.040, 0.035])
        if covered >= 1.9:
            calf = np.array([0.056, 0.060, 0.055, 0.051, 0.050]) * wide
        trousers = self._sleeve(outfit.bottom, covered - 1, build.shin, 0.95)

        def shin(share: np.ndarray, across: np.ndarray,
                 _: np.ndarray) -> np.ndarray:
            colors = trousers(share, across, _)
            if outfit.socks is None:
                return colors
            sock = (share > 0.72) & (share > covered - 1)
            return np.where(sock[:, None], outfit.socks, colors)

        self._limb(knee, ankle, calf, shin)
        foot = figure.frames[f'{side}_foot']
        shoes = outfit.shoes

        def shoe(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            sole = y < -0.45
            return np.where(sole[:, None], 0.4 * shoes + 0.5 * _WHITE,
                            np.where((z > 0.75)[:, None], shoes * 0.8, shoes))

        unit = build.height / ADULT
        self._ball(ankle + unit * (0.055 * foot[:, 2] - 0.045 * foot[:, 1]),
                   foot,
                   np.array([0.045, 0.042, 0.135]) * unit, shoe, 0.3)
        self._ball(ankle - 0.02 * unit * foot[:, 1], foot,
                   np.array([0.042, 0.06, 0.05]) * unit, shoe)

    def arm(self, side: str, sign: float) -> None:
        """Upper arm, forearm and hand with thumb."""
        figure, outfit = self.figure, self.outfit
        shoulder, elbow, wrist = (
            figure.joint(f'{side}_{name}')
            for name in ('shoulder', 'elbow', 'wrist'))
        build = figure.build
        wide = outfit.loose if outfit.sleeves else 1.0
        self._limb(
            shoulder, elbow,
            np.array([0.050, 0.049, 0.046, 0.041]) * wide,
            self._sleeve(outfit.top, outfit.sleeves, build.upper_arm, 0.1))
        radii = np.array([0.040, 0.042, 0.035, 0.028])
        if outfit.sleeves >= 1.9:
            radii = np.array([0.042, 0.042, 0.039, 0.036]) * wide
        self._limb(
            elbow, wrist, radii,
            self._sleeve(outfit.top, outfit.sleeves - 1, build.forearm, 0.4))
        forearm = figure.frames[f'{side}_forearm']
        color = outfit.skin if outfit.gloves is None else outfit.gloves

        def hand(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            fingers = (y < -0.1) & (np.abs(x * 2 % 1 - 0.5) < 0.12)
            return np.where(fingers[:, None], color * 0.75, color)

        unit = build.height / ADULT
        palm = wrist - 0.075 * unit * forearm[:, 1]
        # The palm faces the thigh: its width lies along the forward axis.
        frame = forearm[:, [2, 1, 0]]
        self._ball(palm, frame, np.array([0.042, 0.09, 0.022]) * unit, hand)
        thumb = wrist - 0.03 * unit * forearm[:, 1]
        self._limb(
            thumb,
            thumb + unit * (0.045 * forearm[:, 2] - 0.05 * forearm[:, 1]),
            (0.016, 0.012), _plain(color))

    def skirt(self) -> None:
        """A tube from the waist over the thighs."""
        figure, outfit = self.figure, self.outfit
        if not outfit.skirt:
            return
        build = figure.build
        knees = [figure.joint(f'{side}_knee') for side, _ in SIDES]
        down = (knees[0] + knees[1]) / 2
        down = down / np.linalg.norm(down)
        left = figure.frames['pelvis'][:, 0]
        left = left - (left @ down) * down
        left /= np.linalg.norm(left)
        front = np.cross(left, -down)
        length = outfit.skirt * build.thigh + 0.1
        start = -0.1 * down
        spread = np.abs((knees[0] - knees[1]) @ np.stack([left, front], 1))
        flare = max(
            0.25,
            0.5 * spread.max() * outfit.skirt / (build.hip_half * 1.9) - 0.5)
        cloth = outfit.bottom
        # Around the thighs, which reach beyond the hip joints.
        width = build.hip_half + 0.095 * self.girth

        def paint(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            angle = np.arctan2(x, z)
            colors = cloth(angle * 0.15, y * length)
            return colors * (1 + 0.12 * np.sin(angle * 17))[:, None]

        self.canvas.tube(
            self.projection.points(start),
            self.projection.axes(
                np.stack([left, down, front], 1),
                np.array([width, length, 0.12 * self.girth])), flare, paint)

    def head(self) -> None:
        """Skull with face and hair, ears, nose, hat."""
        figure, outfit = self.figure, self.outfit
        center, axes = _head_solid(figure, self.projection)
        self.canvas.ellipsoid(center, axes, self._face_paint(), 0.12)
        frame, length = figure.frames['head'], figure.build.head
        middle = _head_middle(figure)

        def hair(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            return outfit.hair * (1 + 0.15 * np.sin(19 * x + 4 * y))[:, None]

        def ball(place: ArrayLike, lengths: ArrayLike, paint: Paint) -> None:
            """Place and half lengths in units of the head's length."""
            self._ball(middle + frame @ (np.asarray(place) * length), frame,
                       np.asarray(lengths) * length, paint)

        ball((0, -0.03, 0.42), (0.05, 0.09, 0.06), _plain(outfit.skin * 1.03))
        style = outfit.hair_style
        if style not in ('long', 'bob'):
            for _, sign in SIDES:
                ball((sign * 0.33, 0.0, -0.03), (0.04, 0.09, 0.06),
                     _plain(outfit.skin * 0.9))
        if style != 'bald' and outfit.hat is None:
            ball((0, 0.14, -0.08), (0.345, 0.39, 0.37), hair)
        if style in _LOCKS:
            ball(*_LOCKS[style], hair)
        if outfit.hat is not None:
            ball((0, 0.26, -0.02), (0.37, 0.30, 0.44), _plain(outfit.hat))
            ball((0, 0.18, 0.38), (0.28, 0.03, 0.26), _plain(outfit.hat * 0.8))

    def _face_paint(self) -> Paint:
        """Paint of the skull: eyes, brows, mouth, beard, glasses, hair."""
        outfit = self.outfit
        skin, hair = outfit.skin, outfit.hair
        line = _HAIRLINES.get(outfit.hair_style, (-0.9, -0.5, 0.05, 0.55))

        def face(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            colors = np.repeat(skin[None], len(x), 0)
            ahead = z > 0.15
            aside = np.abs(x) - 0.40  # from the middle of the nearer eye
            eyes = aside**2 / 0.028 + (y - 0.08)**2 / 0.009 < 1
            pupils = aside**2 + (y - 0.08)**2 < 0.010
            brows = (np.abs(aside) < 0.22) & (
                np.abs(y - 0.32 + 0.2 * aside**2) < 0.045)
            mouth = (np.abs(x) < 0.27) & (np.abs(y + 0.50) < 0.055)
            if outfit.beard:
                chin = ahead & (y < -0.22 - 0.25 * (z > 0.8))
                colors[chin] = 0.7 * hair + 0.3 * skin
            colors[brows & ahead] = 0.7 * hair + 0.3 * skin * 0.6
            colors[eyes & ahead] = _WHITE
            colors[pupils & ahead] = _DARK
            colors[mouth & ahead] = 0.55 * skin + 0.45 * _LIPS
            if outfit.glasses:
                ring = np.hypot(aside, y - 0.08)
                bridge = (np.abs(x) < 0.2) & (np.abs(y - 0.1) < 0.06)
                rims = (ring > 0.2) & (ring < 0.3) | bridge
                colors[rims & ahead] = _DARK
            covered = y > np.interp(z, (-1, -0.2, 0.2, 1), line)
            strands = 1 + 0.14 * np.sin(23 * x + 6 * np.sin(9 * y))
            colors[covered] = hair * strands[covered][:, None]
            return colors

        return face


def _plain(color: np.ndarray) -> Paint:
    """One colour everywhere."""
    return lambda x, y, z: np.broadcast_to(color, (len(x), 3))


def _between(first: np.ndarray, second: np.ndarray,
             share: float) -> np.ndarray:
    """A frame between two, made orthonormal again."""
    matrix, _, other = np.linalg.svd((1 - share) * first + share * second)
    return matrix @ other
