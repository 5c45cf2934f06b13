"""Labels of COCO's format, CVAT, Label Studio, LabelMe and Ultralytics."""
import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import cv2
import yaml

from .table import (
    KeypointNames,
    LabeledImage,
    LabeledPerson,
    LabelTable,
    Point,
    ordered_names,
    points_of,
    separate,
)


def load_json(path: Path) -> Any:
    """Read JSON, with or without a byte order mark."""
    return json.loads(path.read_text('utf-8-sig'))


def part_of(name: str) -> str | None:
    """Return the part of a dataset that a file or folder is named after."""
    found = re.search(r'(?i)(?<![a-z])(train|val|valid|validation|test)'
                      r'(?![a-z])', name)
    if found is None:
        return None
    return 'train' if found[1].lower() == 'train' else 'val'


def read_coco(path: Path) -> LabelTable:
    """Read COCO's format, as CVAT, Roboflow, COCO Annotator and others write.

    Raises:
        ValueError: if an annotation does not fit its category.
    """
    content = load_json(path)
    categories: dict[Any, str] = {}
    keypoints = {}
    for each in content['categories']:
        categories[each['id']] = name = str(each.get('name', each['id']))
        names = ordered_names(each.get('keypoints') or [])
        if names:
            keypoints[name] = KeypointNames(names, [
                (names[a - 1], names[b - 1])
                for a, b in each.get('skeleton') or []
            ])
    part = part_of(path.parent.name) or part_of(path.stem)
    images = {}
    for each in content['images']:
        file = str(each['file_name'])
        if (path.parent / file).is_file():
            file = f'{path.parent.name}/{file}'
        images[each['id']] = LabeledImage(
            file, [], (int(each['width']), int(each['height'])), part=part)
    for each in content['annotations']:
        numbers = each.get('keypoints') or []
        if each.get('iscrowd') or not numbers:
            continue
        category = categories[each['category_id']]
        if category not in keypoints:
            keypoints[category] = KeypointNames(
                [f'keypoint_{i + 1}' for i in range(len(numbers) // 3)])
        try:
            points = points_of(keypoints[category].names, numbers)
        except ValueError as error:
            raise ValueError(f'{path}: annotation {each["id"]}: '
                             f'{error}') from error
        images[each['image_id']].people.append(
            LabeledPerson(points, _box(each.get('bbox')), category))
    return LabelTable(list(images.values()), keypoints)


def _box(numbers: Any) -> tuple[float, ...] | None:
    """Return left, top, width and height if that is a box with an area."""
    if not numbers or len(numbers) != 4 or min(numbers[2:]) <= 0:
        return None
    return tuple(float(number) for number in numbers)


def read_cvat(path: Path) -> LabelTable:
    """Read CVAT's XML, "for images" or "for video".

    Skeletons; or points, of which those of one group are a person's. Of a
    video the frames are ``frame_000000`` and so on, as CVAT names them.
    """
    root = ElementTree.parse(path).getroot()
    keypoints: dict[str, KeypointNames] = {}
    for label in root.iterfind('meta//label'):
        parent, name = label.findtext('parent'), label.findtext('name') or ''
        if label.findtext('type') == 'skeleton':
            keypoints[name] = KeypointNames([], _cvat_links(
                label.findtext('svg') or ''))
        elif parent in keypoints:
            keypoints[parent].names.append(name)
    images = []
    for image in root.iter('image'):
        size = int(image.get('width', 0)), int(image.get('height', 0))
        images.append(
            LabeledImage(image.get('name', ''), _cvat_people(list(image)),
                         size))
    frames: dict[int, list] = {}
    video = root.findtext('meta//source') or ''
    for number, track in enumerate(root.iter('track')):
        for shape in track:
            if shape.get('outside') != '1':
                shape.attrib.setdefault('label', track.get('label', ''))
                shape.attrib.setdefault('group_id',
                                        track.get('group_id', f't{number}'))
                frames.setdefault(int(shape.get('frame', 0)),
                                  []).append(shape)
    images += [
        LabeledImage(video or 'frame', _cvat_people(shapes), frame=frame)
        for frame, shapes in sorted(frames.items())
    ]
    return LabelTable(images, keypoints)


def _cvat_links(drawing: str) -> list[tuple[str, str]]:
    """Return the edges of a skeleton's SVG by names."""
    tags = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            for tag in re.findall(r'<(?:line|circle)\b[^>]*>', drawing)]
    names = {tag.get('data-node-id'): tag['data-label-name'] for tag in tags
             if 'data-label-name' in tag}
    links = [(names.get(tag.get('data-node-from')),
              names.get(tag.get('data-node-to'))) for tag in tags]
    return [(a, b) for a, b in links if a and b]


def _cvat_people(shapes: list[ElementTree.Element]) -> list[LabeledPerson]:
    """Return the people of an image's or a frame's shapes."""
    people = []
    boxes: dict[str, tuple[float, ...]] = {}
    loose: dict[str, list[tuple[str, Point]]] = {}
    for shape in shapes:
        label, group = shape.get('label', ''), shape.get('group_id') or '0'
        if shape.tag == 'skeleton':
            points = dict(point for each in shape.iter('points')
                          for point in _cvat_points(each))
            people.append((group, LabeledPerson(points, category=label)))
        elif shape.tag == 'points':
            loose.setdefault(group, []).extend(_cvat_points(shape))
        elif shape.tag == 'box':
            left, top, right, bottom = (
                float(shape.get(side, 0))
                for side in ('xtl', 'ytl', 'xbr', 'ybr'))
            boxes[group] = left, top, right - left, bottom - top
    people += [(group, LabeledPerson(points))
               for group, all_points in loose.items()
               for points in separate(all_points)]
    for group, person in people:
        if len(people) == len(boxes) == 1 or group not in ('0', ''):
            person.box = boxes.get(group)
    return [person for _, person in people]


def _cvat_points(shape: ElementTree.Element) -> list[tuple[str, Point]]:
    """Return one named point; numbered names if a shape has several."""
    if shape.get('outside') == '1' or not shape.get('points'):
        return []
    mark = 1 if shape.get('occluded') == '1' else 2
    places = [pair.split(',') for pair in shape.get('points', '').split(';')]
    label = shape.get('label', '')
    return [(label if len(places) == 1 else f'{label}_{index}',
             (float(x), float(y), mark))
            for index, (x, y) in enumerate(places, start=1)]


def read_label_studio(path: Path) -> LabelTable:
    """Read Label Studio's JSON or JSON-MIN export.

    Keypoints belong to the rectangle that they are related to, that is their
    parent, or that they lie in; otherwise a name that occurs again begins
    another person.

    Raises:
        ValueError: if an image was rotated while labelling.
    """
    images = []
    for task in load_json(path):
        data = task.get('data', task)
        done = [each for each in task.get('annotations', ())
                if isinstance(each, dict) and not each.get('was_cancelled')]
        results = done[-1]['result'] if done else [
            dict(value=value, id=f'{key}{index}', **value)
            for key, values in task.items() if isinstance(values, list)
            for index, value in enumerate(values) if isinstance(value, dict)
            and 'x' in value
        ]
        if any(each.get('image_rotation') for each in results):
            raise ValueError(f'{path}: task {task.get("id")} was labelled in '
                             'a rotated image')
        name = next(value for value in data.values() if isinstance(value, str)
                    and re.search(r'\.\w{3,4}($|\?)', value))
        address = urlsplit(name)
        file = unquote(address.query.partition('d=')[2] or address.path)
        width, height = next(
            ((each['original_width'], each['original_height'])
             for each in results if 'original_width' in each), (0, 0))
        images.append(
            LabeledImage(file.lstrip('/'),
                         _label_studio_people(results, width, height),
                         (width, height), is_relative=True))
    return LabelTable(images)


def _label_studio_people(results: list[dict], width: int,
                         height: int) -> list[LabeledPerson]:
    """Return the people of a task; x and y are percent of the image."""
    owners = {each['id']: each['parentID'] for each in results
              if each.get('parentID')}
    for each in results:
        if each.get('type') == 'relation':
            owners[each['from_id']] = each['to_id']
            owners.setdefault(each['to_id'], each['from_id'])
    boxes: dict[str, tuple[float, ...]] = {}
    for each in results:
        value = each.get('value', {})
        if 'height' in value and not value.get('rotation'):
            boxes[each['id']] = (
                value['x'] * width / 100, value['y'] * height / 100,
                value['width'] * width / 100, value['height'] * height / 100)
    groups: dict[str | None, list[tuple[str, Point]]] = {}
    for each in results:
        value = each.get('value', {})
        if not value.get('keypointlabels'):
            continue
        x, y = value['x'] * width / 100, value['y'] * height / 100
        owner = owners.get(each['id'])
        if owner not in boxes and owner is None:
            around = [(w * h, key) for key, (left, top, w, h) in boxes.items()
                      if left <= x <= left + w and top <= y <= top + h]
            owner = min(around)[1] if around else None
        groups.setdefault(owner, []).append(
            (value['keypointlabels'][0], (x, y, 2)))
    return [LabeledPerson(points, boxes.get(owner) if owner else None)
            for owner, points_in in groups.items()
            for points in separate(points_in)]


def read_labelme(path: Path) -> LabelTable:
    """Read one file of LabelMe; people are told apart by ``group_id``."""
    content = load_json(path)
    groups: dict[Any, list[tuple[str, Point]]] = {}
    boxes: dict[Any, tuple[float, ...]] = {}
    for shape in content['shapes']:
        group, places = shape.get('group_id'), shape['points']
        if shape.get('shape_type') == 'point':
            x, y = places[0]
            hidden = (shape.get('flags') or {}).get('occluded')
            groups.setdefault(group, []).append(
                (shape['label'], (float(x), float(y), 1 if hidden else 2)))
        elif shape.get('shape_type') == 'rectangle':
            (left, top), (right, bottom) = (
                [pick(axis) for axis in zip(*places)] for pick in (min, max))
            boxes[group] = left, top, right - left, bottom - top
    data = content.get('imageData')
    image = LabeledImage(
        (path.parent / content['imagePath'].replace('\\', '/')).as_posix(),
        [LabeledPerson(points, boxes.get(group))
         for group, points_in in groups.items()
         for points in separate(points_in)],
        (content['imageWidth'], content['imageHeight']),
        pixels=base64.b64decode(data) if data else None)
    return LabelTable([image])


def read_ultralytics(path: Path) -> LabelTable:
    """Read an Ultralytics pose dataset by its YAML file.

    Raises:
        ValueError: if a line does not fit ``kpt_shape``.
    """
    settings = yaml.safe_load(path.read_text('utf-8'))
    count, size = settings['kpt_shape']
    classes = ordered_names(settings['names'])
    all_names = settings.get('kpt_names') or {}
    keypoints = {}
    for index, category in enumerate(classes):
        names = all_names.get(index) if isinstance(all_names, dict) else (
            all_names)
        names = ordered_names(names or [f'keypoint_{i + 1}'
                                        for i in range(count)])
        flips = {names[a]: names[b] for a, b in enumerate(
            settings.get('flip_idx') or []) if a != b}
        keypoints[category] = KeypointNames(names, flips=flips)
    images = []
    for file in sorted(path.parent.rglob('*.txt')):
        if 'labels' not in file.relative_to(path.parent).parts:
            continue
        parts = ['images' if part == 'labels' else part
                 for part in file.relative_to(path.parent).parts]
        stem = path.parent.joinpath(*parts)
        image = next((each for each in sorted(stem.parent.glob('*'))
                      if each.stem == file.stem), stem)
        pixels = cv2.imread(str(image)) if image.is_file() else None
        if pixels is None:
            images.append(LabeledImage(image.as_posix(), []))
            continue
        height, width = pixels.shape[:2]
        people = []
        for number, line in enumerate(file.read_text().splitlines()):
            kind, *values = line.split()
            try:
                cx, cy, w, h, *rest = map(float, values)
                points = points_of(keypoints[classes[int(kind)]].names, rest,
                                   size)
            except ValueError as error:
                raise ValueError(f'{file}, line {number + 1}: '
                                 f'{error}') from error
            people.append(
                LabeledPerson(
                    {name: (x * width, y * height, v)
                     for name, (x, y, v) in points.items() if x or y},
                    ((cx - w / 2) * width, (cy - h / 2) * height, w * width,
                     h * height), classes[int(kind)]))
        images.append(
            LabeledImage(image.as_posix(), people, (width, height),
                         part=part_of('/'.join(parts[:-1]))))
    return LabelTable(images, keypoints)
