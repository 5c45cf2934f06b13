"""Labelled images, as every reader of this room returns them."""
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

#: A keypoint: x, y in 0-based pixels, and v: 2 visible, 1 occluded.
Point = tuple[float, float, int]


@dataclass
class LabeledPerson:
    """One person or animal in an image."""

    points: dict[str, Point]  #: by keypoint name; labelled ones only
    box: tuple[float, ...] | None = None  #: left, top, width, height in pixels
    category: str = 'animal'


@dataclass
class LabeledImage:
    """One image with its people."""

    file: str  #: name in the labels, with /
    people: list[LabeledPerson]
    size: tuple[int, int] = (0, 0)  #: width and height; 0 if unknown
    frame: int | None = None  #: if ``file`` is a video, its frame, from 0
    part: str | None = None  #: 'train' or 'val', if the labels are split
    group: str | None = None  #: its video or folder
    is_relative: bool = False  #: the labels are percent of the image
    pixels: Any = None  #: bytes of a file, or (H, W, 3) uint8 in BGR


@dataclass
class KeypointNames:
    """The keypoints of one category."""

    names: list[str]
    links: list[tuple[str, str]] = field(default_factory=list)
    flips: dict[str, str] = field(default_factory=dict)  #: in both directions


@dataclass
class LabelTable:
    """Labelled images, and the keypoints of each category.

    Where a file has no list of keypoints, they are in the order of their
    first use.
    """

    images: list[LabeledImage]
    categories: dict[str, KeypointNames] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for image in self.images:
            image.file = image.file.replace('\\', '/')
            for person in image.people:
                person.points = {
                    str(name): point for name, point in person.points.items()
                    if all(map(is_number, point))}
            image.people = [each for each in image.people if each.points]
            for person in image.people:
                known = self.categories.setdefault(person.category,
                                                   KeypointNames([]))
                known.names += [name for name in person.points
                                if name not in known.names]

    def choose(self, category: str | None = None) -> KeypointNames:
        """Keep the people of one category, and return its keypoints.

        Images without people are dropped.

        Raises:
            ValueError: if there is none, or several and no choice.
        """
        used = {person.category: None for image in self.images
                for person in image.people}
        if category is None and len(used) == 1:
            category = next(iter(used))
        if category not in used:
            raise ValueError(
                f'the labels have keypoints of {", ".join(used)}: choose one '
                'by --category' if used else
                'no image of the labels has a keypoint that is labelled')
        for image in self.images:
            image.people = [person for person in image.people
                            if person.category == category]
        self.images = [image for image in self.images if image.people]
        keypoints = self.categories[category]
        if len(set(keypoints.names)) < len(keypoints.names):
            raise ValueError(f'two keypoints have one name: {keypoints.names}')
        keypoints.flips = keypoints.flips or flip_pairs(keypoints.names)
        return keypoints


def points_of(names: Sequence[str], numbers: Sequence[Any],
              size: int = 3) -> dict[str, Point]:
    """Return the labelled points of flat numbers: x, y, v for each name.

    Args:
        names: K names.
        numbers: ``size`` times K numbers; None or NaN is not labelled.
        size: 2 if there is no v.

    Raises:
        ValueError: if there are fewer or more numbers, or v is another than
            0, 1 and 2, such as a score.
    """
    if not isinstance(numbers, Sequence) or (
            len(numbers) != size * len(names)):
        raise ValueError(
            f'keypoints must be {size * len(names)} numbers, '
            f'{"x, y and v" if size == 3 else "x and y"} for each of '
            f'{", ".join(names)}, but are {len(numbers)}: {numbers}')
    points = {}
    for index, name in enumerate(names):
        x, y, *v = numbers[size * index:size * (index + 1)]
        if not is_number(x) or not is_number(y):
            continue
        mark = v[0] if v else 2
        if isinstance(mark, bool):
            mark = 2 * mark
        if mark not in (0, 1, 2):
            raise ValueError(f'v of {name!r} is {mark!r}, but must be 0, 1 '
                             'or 2')
        if mark:
            points[name] = float(x), float(y), int(mark)
    return points


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number, or the text of one."""
    try:
        return isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def separate(points: Sequence[tuple[str, Point]]) -> list[dict[str, Point]]:
    """Split a list of points into people: a name occurs once in each."""
    people: list[dict[str, Point]] = []
    for name, point in points:
        free = next((each for each in people if name not in each), None)
        if free is None:
            people.append(free := {})
        free[name] = point
    return people


def flip_pairs(names: Sequence[str]) -> dict[str, str]:
    """Find left and right partners by their names, in both directions.

    ``left`` and ``right`` anywhere, or ``L`` and ``R`` as a word or at its
    beginning: ``left_ear``, ``earLeft``, ``L_ear``, ``EarR``, ``paw2LF`` and
    ``paw3RF``. Numbers need not be equal where that leaves one partner.
    """
    exact = _partners(names, lambda name: name)
    loose = _partners([name for name in names if name not in exact],
                      lambda name: re.sub(r'\d', '', name))
    return {**exact, **loose}


def _partners(names: Sequence[str], key: Any) -> dict[str, str]:
    """Pair the names that are alike but for their sides."""
    sides: dict[str, dict[str, list[str]]] = {}
    for name in names:
        for left, right in (('left', 'right'), ('Left', 'Right'),
                            ('LEFT', 'RIGHT'), ('L', 'R'), ('l', 'r')):
            # One letter is a side where no letter of its kind is beside it.
            before, after = {'L': ('(?<![A-Z])', '(?![a-z])'),
                             'l': ('(?<![A-Za-z])', '(?![A-Za-z])')}.get(
                                 left, ('', ''))
            found = re.split(f'{before}({left}|{right}){after}', name,
                             maxsplit=1)
            if len(found) == 3:
                bare = key(f'{found[0]}*{left}*{found[2]}')
                sides.setdefault(bare, {}).setdefault(found[1],
                                                      []).append(name)
                break
    pairs: dict[str, str] = {}
    for both in sides.values():
        if [len(each) for each in both.values()] == [1, 1]:
            (one, ), (other, ) = both.values()
            pairs.update({one: other, other: one})
    return pairs


def ordered_names(mapping: Mapping | Sequence) -> list[str]:
    """Return a list of names, also of ``{0: name, 1: name}``."""
    if isinstance(mapping, Mapping):
        mapping = [mapping[key] for key in sorted(mapping, key=int)]
    return [str(name) for name in mapping]
