"""What synthetic people wear: fabrics, hair and skin. Colours are BGR."""
import colorsys
from dataclasses import dataclass
from typing import Optional

import numpy as np

#: From light to dark.
_SKIN_TONES = np.array([(205, 218, 245), (185, 203, 238), (160, 185, 226),
                        (130, 160, 210), (100, 132, 190), (75, 105, 160),
                        (58, 80, 125), (42, 58, 94)], np.float32)
_HAIR_TONES = np.array([(25, 24, 28), (32, 36, 46),
                        (35, 52, 78), (48, 78, 120), (90, 140, 180),
                        (130, 190, 225), (45, 75, 160), (160, 165, 170),
                        (215, 218, 220)], np.float32)
_HAIR_SHARES = np.array([24, 20, 18, 12, 8, 7, 4, 5, 2]) / 100
_PATTERNS = ('plain', 'rings', 'stripes', 'checks', 'dots', 'mottled',
             'two_parts')
_PATTERN_SHARES = np.array([52, 12, 8, 8, 5, 9, 6]) / 100


def random_color(rng: np.random.Generator, vivid: float = 0.5) -> np.ndarray:
    """A cloth colour (3,): often muted, black or white, at times vivid."""
    hue = rng.random()
    if rng.random() < vivid:
        saturation, value = rng.uniform(0.45, 0.95), rng.uniform(0.4, 0.95)
    else:
        saturation, value = rng.uniform(0, 0.3), rng.uniform(0.12, 0.95)
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return np.array([blue, green, red], np.float32) * 255


@dataclass(frozen=True)
class Fabric:
    """A coloured, patterned cloth.

    Args:
        color: (3,) float32.
        second: (3,) float32, of the pattern.
        pattern: one of ``plain, rings, stripes, checks, dots, mottled,
            two_parts``.
        pitch: distance (m) from one stripe to the next.
        crease: strength of the folds, 0 to about 0.2.
        phase: shifts folds and pattern.
    """

    color: np.ndarray
    second: np.ndarray
    pattern: str
    pitch: float
    crease: float
    phase: float

    def __call__(self, across: np.ndarray, along: np.ndarray) -> np.ndarray:
        """Colours (N, 3) at places (N,) on the cloth in metres."""
        u = across / self.pitch + self.phase
        v = along / self.pitch + self.phase
        if self.pattern == 'rings':
            mask = v % 1 < 0.45
        elif self.pattern == 'stripes':
            mask = u % 1 < 0.4
        elif self.pattern == 'checks':
            mask = (u % 1 < 0.5) ^ (v % 1 < 0.5)
        elif self.pattern == 'dots':
            mask = (u % 1 - 0.5)**2 + (v % 1 - 0.5)**2 < 0.09
        elif self.pattern == 'mottled':
            mask = np.sin(7 * u + 3 * np.sin(5 * v)) * np.sin(9 * v + u) > 0.1
        elif self.pattern == 'two_parts':
            mask = along > 0.16 + 0.03 * self.phase
        else:
            mask = np.zeros(u.shape, bool)
        colors = np.where(mask[:, None], self.second, self.color)
        folds = 1 + self.crease * np.sin(
            along * 34 + 3 * np.sin(across * 25 + self.phase) + self.phase)
        return colors * folds[:, None].astype(np.float32)


def random_fabric(rng: np.random.Generator, vivid: float,
                  seam: bool) -> Fabric:
    """A fabric of any kind; ``seam`` allows two parts with a seam between."""
    color = random_color(rng, vivid)
    second = random_color(rng, vivid)
    pattern = _PATTERNS[rng.choice(len(_PATTERNS), p=_PATTERN_SHARES)]
    if pattern == 'two_parts' and not seam:
        pattern = 'plain'
    if pattern == 'mottled':
        second = 0.6 * color + 0.4 * second
    return Fabric(color, second, pattern, rng.uniform(0.05, 0.14),
                  rng.uniform(0.02, 0.09), rng.uniform(0, 6))


@dataclass(frozen=True)
class Outfit:
    """Everything about a person that is neither build nor pose.

    Lengths of sleeves and legs are shares of the limb: 0 none, 1 to the
    elbow or knee, 2 to the wrist or ankle.
    """

    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    beard: bool
    glasses: bool
    hat: Optional[np.ndarray]
    top: Fabric
    sleeves: float
    neckline: float
    front: str
    bottom: Fabric
    trousers: float
    skirt: float
    shoes: np.ndarray
    socks: Optional[np.ndarray]
    gloves: Optional[np.ndarray]
    backpack: Optional[np.ndarray]
    loose: float


def random_outfit(rng: np.random.Generator, skirt: bool) -> Outfit:
    """Clothes, hair and skin.

    Args:
        rng: source of randomness.
        skirt: whether the pose lets a skirt hang.
    """
    tone = rng.uniform(0, len(_SKIN_TONES) - 1)
    low = int(tone)
    skin = _SKIN_TONES[low] + (tone - low) * (
        _SKIN_TONES[min(low + 1,
                        len(_SKIN_TONES) - 1)] - _SKIN_TONES[low])
    hair = _HAIR_TONES[rng.choice(len(_HAIR_TONES), p=_HAIR_SHARES)]
    style = ('short', 'long', 'ponytail', 'bun', 'bald',
             'bob')[rng.choice(6, p=[0.42, 0.2, 0.12, 0.07, 0.05, 0.14])]
    top = random_fabric(rng, vivid=0.5, seam=True)
    bottom = random_fabric(rng, vivid=0.25, seam=False)
    if rng.random() < 0.08:
        bottom = top
    return Outfit(
        skin=skin * rng.uniform(0.92, 1.04, 3).astype(np.float32),
        hair=hair * np.float32(rng.uniform(0.8, 1.15)),
        hair_style=style,
        beard=style in ('short', 'bald') and rng.random() < 0.3,
        glasses=rng.random() < 0.15,
        hat=random_color(rng) if rng.random() < 0.14 else None,
        top=top,
        sleeves=(0.0, rng.uniform(0.4, 0.8), rng.uniform(1.2, 1.7),
                 2.0)[rng.choice(4, p=[0.13, 0.4, 0.07, 0.4])],
        neckline=rng.uniform(0.0, 1.0),
        front=('none', 'buttons', 'zip', 'print', 'open',
               'tie')[rng.choice(6, p=[0.3, 0.14, 0.14, 0.2, 0.14, 0.08])],
        bottom=bottom,
        trousers=(rng.uniform(0.4, 0.95), rng.uniform(1.3, 1.6),
                  2.0)[rng.choice(3, p=[0.32, 0.08, 0.6])],
        skirt=rng.uniform(0.7, 1.5) if skirt and rng.random() < 0.2 else 0.0,
        shoes=random_color(rng),
        socks=random_color(rng, 0.3) if rng.random() < 0.5 else None,
        gloves=random_color(rng) if rng.random() < 0.05 else None,
        backpack=random_color(rng) if rng.random() < 0.1 else None,
        loose=rng.uniform(1.0, 1.3))
