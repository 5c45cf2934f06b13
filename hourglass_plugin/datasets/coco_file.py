"""COCO-style files of any keypoints, as labelling tools write them.

One pass checks a file and brings its entries into the form that MMPose reads
as it is meant: keypoints in the config's order, by name; ``v`` alone decides
what is annotated; boxes, areas and counts where the file has none; sizes of
the images as they are read. Everything that is changed or left out is noted.
"""
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .image_headers import read_headers
from .readers.person import check_image_name, located
from .readers.pose_json import load_json

#: Pixels; float32, in which MMPose computes, has no fractions of larger ones.
_LARGEST = 1e7

_REQUIRED = dict(images={'id', 'file_name'}, categories={'id'},
                 annotations={'id', 'image_id', 'category_id'})

#: An object's part of its box, where the file has no area; as in MMPose.
_AREA_OF_BOX = 0.53
#: Half a side of the box of a single keypoint, in larger sides of the image.
_SINGLE_KEYPOINT = 0.05

_CHOOSE = 'category=... of the dataset chooses the categories to read'
_BACKSLASH = r'file_name has \ between folders, read as /'
_STORED = ('the keypoints are in the stored image, which its orientation tag '
           'turns when it is read: remove the tag from the image files, for '
           'example by `exiftool -Orientation= FILES`')
_BOX_OUTSIDE = ('the box, or the keypoints from which it is made, are outside '
                'the image: correct them, or remove the annotation')
# A file is refused if half of its annotations have one of these.
_UNIT = ('coordinates are from 0 to 1: multiply x, y and the box by width and '
         "height of the image, since COCO's format has pixels")
_OUTSIDE = ('all annotated keypoints are outside the image: check that they '
            'are pixels of this image, and not of a resized or cropped one')
_FAR = ('all annotated keypoints are far from the box: both must be pixels of '
        'the whole image, and bbox [left, top, width, height]')


class CocoContent(NamedTuple):
    """A file's entries; the annotations are those of the chosen categories.

    An annotation that cannot be used has ``num_keypoints`` 0.
    """

    images: list[dict]
    annotations: list[dict]
    categories: list[dict]
    total: int  #: number of annotations in the file
    notes: list[str]  #: changes and omissions, one line each


class _Category(NamedTuple):
    label: str
    names: Sequence[str]  #: of its keypoints, in the file's order
    order: Sequence[int]  #: positions of the config's keypoints among them


def read_coco_file(path: str, names: Sequence[str], image_folder: str,
                   category: str | int | Sequence[str | int] | None = None,
                   box_margin: float = 0.2) -> CocoContent:
    """Read a COCO-style file, or reject what cannot be meant.

    Args:
        path: the JSON file.
        names: the keypoints in the config's order.
        image_folder: the images' folder; see
            :func:`~hourglass_plugin.datasets.readers.person.check_image_name`.
            The size of images that are there is read from them.
        category: name or id, or several, of the categories to read. Default:
            those whose keypoints have the config's names, or all if no
            category names its keypoints.
        box_margin: of boxes made from keypoints, in larger sides of the
            keypoints' extent.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is wrong; names the entry.
    """
    content = load_json(path)
    known: dict[str, dict] = {}
    notes: dict[str, list[str]] = defaultdict(list)
    for part in _REQUIRED:
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise ValueError(f'{path} must be an object with the lists '
                             f'{", ".join(_REQUIRED)}; {part} is missing')
        known[part] = {}
        for index, entry in enumerate(entries):
            with located(f'{path}, {part}[{index}]'):
                _check_entry(entry, part, known)
                if part == 'images' and _has_backslash(entry, image_folder):
                    entry['file_name'] = entry['file_name'].replace('\\', '/')
                    notes[_BACKSLASH].append(f'images[{index}]')
                known[part][entry['id']] = entry
    with located(path):
        chosen, others = _choose_categories(content, names, category)
    images = known['images']
    read_images = [images[each['image_id']] for each in content['annotations']
                   if each['category_id'] in chosen]
    paths = {each['id']: os.path.join(image_folder, each['file_name'])
             for each in read_images}
    headers = read_headers(paths.values())
    for index, image in enumerate(content['images']):
        with located(f'{path}, images[{index}]'):
            image['stored_size'], text = _set_size(
                image, headers.get(paths.get(image['id'], '')))
            if text:
                notes[text].append(f'images[{index}]')
    read, used = [], []
    for index, annotation in enumerate(content['annotations']):
        texts = [others.get(annotation['category_id'])]
        if texts[0] is None:
            image = images[annotation['image_id']]
            with located(f'{path}, annotations[{index}]'):
                texts = [*_set_keypoints(annotation,
                                         chosen[annotation['category_id']]),
                         _set_box(annotation, image, box_margin)]
            read.append(annotation)
            if annotation['num_keypoints']:
                used.append((index, annotation, image))
        for text in filter(None, texts):
            notes[text].append(f'annotations[{index}]')
    if used:
        _check_positions(path, used, notes)
    lines = [f'{text} ({len(entries)} {entries[0].partition("[")[0]}, first '
             f'{entries[0]})' for text, entries in notes.items()]
    return CocoContent(content['images'], read, content['categories'],
                       len(content['annotations']), lines)


def _check_entry(entry: Any, part: str, known: dict) -> None:
    """Reject an entry that lacks something, or has the id of another."""
    required = _REQUIRED[part]
    if not isinstance(entry, dict) or not required <= set(entry):
        raise ValueError(f'must be an object with {", ".join(required)}')
    for name in required - {'file_name'}:
        value = entry[name]
        if isinstance(value, float) and value.is_integer():
            entry[name] = value = int(value)  # pandas and MATLAB write 1.0
        # MMPose computes with the ids of images.
        if type(value) is not int and (type(value) is not str
                                       or part == 'images'):
            raise ValueError(f'{name} must be a whole number, not {value!r}')
    if entry['id'] in known[part]:
        raise ValueError(f'another of {part} has the id {entry["id"]!r}, too')
    for name, others in zip(('image_id', 'category_id'), known):
        if part == 'annotations' and entry[name] not in known[others]:
            raise ValueError(f'{name} {entry[name]!r} is not in {others}')


def _has_backslash(image: dict, folder: str) -> bool:
    """Check a file's name; return whether it is one of Windows."""
    name = image['file_name']
    check_image_name(name, folder)
    return '\\' in name and not os.path.exists(os.path.join(folder, name))


def _set_size(image: dict, header: Any) -> tuple[tuple, str]:
    """Set width and height as read; return those stored, and a note."""
    written: tuple = image.get('width'), image.get('height')
    size = getattr(header, 'size', None)
    if size is not None and written in (size, size[::-1], (None, None)):
        image['width'], image['height'] = size
        return header.stored_size, '' if written == size else (
            'width and height are missing, exchanged, or of the image before '
            'its orientation tag turns it; those of the image read are used')
    if not _are_numbers([*written], 2) or any(
            side <= 0 or side % 1 for side in written):
        raise ValueError('width and height must be positive integers, but are '
                         f'{written[0]!r} and {written[1]!r}')
    image['width'], image['height'] = map(int, written)
    return written, ''


def _choose_categories(
        content: dict, names: Sequence[str],
        category: Any) -> tuple[dict[Any, _Category], dict[Any, str]]:
    """Return by id the categories to read, and why others are left out."""
    categories = {each['id']: each for each in content['categories']}
    labels = {id_: f'category {each.get("name")!r} (id {id_!r})'
              for id_, each in categories.items()}
    wanted = category if isinstance(category, (list, tuple)) else [category]
    given = {None, *categories, *(x.get('name') for x in categories.values())}
    if unknown := [name for name in wanted if name not in given]:
        raise ValueError(f'category={unknown[0]!r} is not in categories: '
                         f'{", ".join(labels.values())}')
    numbers = Counter(each['category_id'] for each in content['annotations']
                      if each.get('keypoints') not in (None, [])
                      and each.get('iscrowd') != 1)
    chosen, others, unnamed, misnamed = {}, {}, [], []
    for id_, each in categories.items():
        theirs = each.get('keypoints') or []
        order = _order(theirs, names)
        if category is not None and not {id_, each.get('name')} & {*wanted}:
            others[id_] = f'{labels[id_]} is left out'
        elif not numbers[id_]:
            others[id_] = f'{labels[id_]} has no keypoints: left out'
        elif order is not None:
            chosen[id_] = _Category(labels[id_], theirs, order)
        elif theirs:
            misnamed.append(id_)
            others[id_] = (f'{labels[id_]} has the keypoints '
                           f'{", ".join(map(str, theirs))}, but the config '
                           f'{", ".join(names)}: ')
        else:
            unnamed.append(id_)
    if misnamed and (category is not None or not chosen):
        raise ValueError(
            f'{others[misnamed[0]]}give keypoint_info the names of the file, '
            f'in any order, or correct them in the file; {_CHOOSE}')
    if unnamed and chosen and category is None:
        raise ValueError(
            f'{labels[unnamed[0]]} has annotations, but does not name its '
            f'keypoints, as {labels[next(iter(chosen))]} does; {_CHOOSE}')
    for id_ in misnamed:
        others[id_] += f'left out; {_CHOOSE}'
    for id_ in unnamed:
        chosen[id_] = _Category(labels[id_], names, range(len(names)))
    return chosen, others


def _order(theirs: Any, names: Sequence[str]) -> list[int] | None:
    """Return the positions of names in a category's, if all are there."""
    for simplified in (str, simplified_name):
        mine, given = (list(map(simplified, part)) for part in (names, theirs))
        if len(set(given)) == len(given) and set(mine) <= set(given):
            return [given.index(name) for name in mine]
    return None


def simplified_name(name: Any) -> str:
    """Return a keypoint's name without case and punctuation."""
    return re.sub(r'[\W_]+', '', str(name)).lower()


def _set_keypoints(annotation: dict, category: _Category) -> list[str]:
    """Check keypoints and marks, and order keypoints; return notes."""
    names, order = category.names, category.order
    crowd = _optional_number(annotation, 'iscrowd') or 0
    if crowd not in (0, 1):
        raise ValueError(f'iscrowd is {crowd!r}, but must be 0 or 1')
    annotation['iscrowd'] = crowd
    written = _optional_number(annotation, 'num_keypoints')
    values = annotation.get('keypoints')
    if crowd or values is None or values == []:
        annotation.update(keypoints=[0] * 3 * len(order), num_keypoints=0)
        return ['left out, since iscrowd is 1' if crowd else
                'left out, since keypoints is missing or empty']
    if not isinstance(values, list) or len(values) != 3 * len(names):
        count = len(values) if isinstance(values, list) else repr(values)
        raise ValueError(
            f'keypoints of {category.label} has {count} numbers, but needs '
            f'{3 * len(names)}, x, y and v for each of {", ".join(names)}; '
            f'{_CHOOSE}')
    notes = []
    if any(isinstance(mark, bool) for mark in values[2::3]):
        notes.append('v is true or false, read as 2 and 0')
    points = [_point(values[start:start + 3], name, start)
              for start, name in zip(range(0, len(values), 3), names)]
    annotation['keypoints'] = [
        number for index in order for number in points[index]]
    annotation['num_keypoints'] = sum(points[index][2] > 0 for index in order)
    if written not in (None, sum(mark > 0 for _, _, mark in points)):
        notes.append('num_keypoints contradicts v, which counts')
    if list(order) != list(range(len(names))):
        notes.append('keypoints are put into the order of the config by their '
                     f'names, from {", ".join(names)}')
    if not annotation['num_keypoints']:
        notes.append('left out, since v = 0 for every keypoint' + (
            ', though x and y are given: set v to 2 where they are annotated'
            if any(values) else ''))
    return notes


def _point(values: list, name: str, start: int) -> list:
    """Return x, y and v of a keypoint; zeros where it is not annotated."""
    x, y, mark = values
    # Most are, and this is fast.
    if type(x) is type(y) is float and type(mark) is int and (
            1 <= mark <= 2 and abs(x) < _LARGEST and abs(y) < _LARGEST):
        return [x, y, mark]
    if isinstance(mark, bool):
        mark = 2 * mark
    if all(map(_is_missing, values)):
        mark = 0
    if mark not in (0, 1, 2):
        raise ValueError(f'v of {name!r}, keypoints[{start + 2}], is '
                         f'{mark!r}, but must be 0, 1 or 2')
    for offset, number in enumerate((x, y) if mark else ()):
        if not _are_numbers([number], 1):
            raise ValueError(
                f'{"xy"[offset]} of {name!r}, keypoints[{start + offset}], is '
                f'{number!r}: write a pixel, or v = 0 for a keypoint that is '
                'not annotated')
    return [x, y, int(mark)] if mark else [0, 0, 0]


def _set_box(annotation: dict, image: dict, margin: float) -> str:
    """Check box and area; make them where they are missing; return a note."""
    area = _optional_number(annotation, 'area')
    box = annotation.get('bbox') or [None]
    is_used = annotation['num_keypoints'] > 0
    if (isinstance(box, list) and all(map(_is_missing, box))) or not (
            is_used or _are_numbers(box, 4)):
        box = [0, 0, 0, 0]
    if not _are_numbers(box, 4) or (is_used and min(box[2:]) < 0):
        raise ValueError(
            f'bbox must be [left, top, width, height], but is {box!r}; '
            'without bbox the box is made from the keypoints')
    note = ''
    if is_used and min(box[2:]) == 0:
        note = ('bbox is missing or has no area: made from the keypoints, '
                f'with a margin of {margin:g} of their extent')
        points = np.reshape(annotation['keypoints'], (-1, 3))
        points = points[points[:, 2] > 0, :2]
        low, high = points.min(0), points.max(0)
        pad = margin * (high - low).max() or 1 + _SINGLE_KEYPOINT * max(
            image['width'], image['height'])
        box = [*(low - pad).tolist(), *(high - low + 2 * pad).tolist()]
    annotation['bbox'] = box
    if area is None or area <= 0:
        width, height = (
            max(min(start + length, side - 1) - max(start, 0), 0)
            for start, length, side in zip(
                box[:2], box[2:], (image['width'], image['height'])))
        annotation['area'] = max(_AREA_OF_BOX * width * height, 1.0)
    return note


def _check_positions(path: str, used: list[tuple[int, dict, dict]],
                     notes: dict[str, list[str]]) -> None:
    """Reject annotations in other pixels than those of their images."""
    keypoints = np.array([each['keypoints'] for _, each, _ in used], float)
    keypoints = keypoints.reshape(len(used), -1, 3)
    points, unmarked = keypoints[..., :2], keypoints[..., 2] == 0  # (N, K)
    box = np.array([each['bbox'] for _, each, _ in used], float)[:, None]
    corner, sides = box[..., :2], box[..., 2:]  # (N, 1, 2)
    size = np.array([[[image['width'], image['height']]]
                     for *_, image in used])
    stored = np.array([[image['stored_size']] for *_, image in used])

    def outside(low: Any, high: Any) -> np.ndarray:
        """Return (N, K) bool; True for keypoints that are not annotated."""
        return ((points < low) | (points > high)).any(2) | unmarked

    # Half of the keypoints or more are outside the turned image.
    is_stored = (size != stored).any((1, 2)) & (
        (outside(-1, size) & ~unmarked).sum(1) * 2 >= (~unmarked).sum(1)
    ) & (~outside(-1, stored) | unmarked).all(1)
    # MMPose cuts boxes to the centres of the outermost pixels.
    inner = np.minimum(corner + sides, size - 1) - np.maximum(corner, 0)
    for text, limit, wrong in (
        (_STORED, 1, is_stored),
        (_UNIT, len(used) / 2, (sides < 1).all((1, 2)) |
         (~outside(0, 1) | unmarked).all(1)),
        (_OUTSIDE, len(used) / 2, outside(-1, size).all(1)),
        (_BOX_OUTSIDE, 1, (inner <= 0).any((1, 2))),
        (_FAR, len(used) / 2,
         outside(corner - sides / 2, corner + sides * 1.5).all(1))):
        entries = [f'annotations[{used[index][0]}]'
                   for index in np.flatnonzero(wrong)]
        if len(entries) >= limit:
            raise ValueError(f'{path}, {entries[0]}: {text} ({len(entries)} '
                             f'of {len(used)} annotations)')
        if entries:
            notes[text] += entries


def _optional_number(annotation: dict, name: str) -> float | None:
    """Return a number, or None if it is missing."""
    value = annotation.get(name)
    if _is_missing(value):
        return None
    if not _are_numbers([value], 1, 1e300) and value not in (True, False):
        raise ValueError(f'{name} is not a number: {value!r}')
    return value


def _is_missing(value: Any) -> bool:
    """Return whether a value is null or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _are_numbers(value: Any, count: int, largest: float = _LARGEST) -> bool:
    """Return whether a value is a list of this many pixel coordinates."""
    return isinstance(value, list) and len(value) == count and all(
        type(number) in (int, float) and abs(number) < largest  # NaN: no
        for number in value)
