"""Labels of COCO's format, CVAT, Label Studio and LabelMe."""
import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from .table import (
    KeypointNames,
    LabeledImage,
    LabeledPerson,
    LabelTable,
    Point,
    is_number,
    ordered_names,
    points_of,
    separate,
)


def load_json(path: Path) -> Any:
    """Read JSON in UTF-8 or UTF-16, with or without a byte order mark."""
    return json.loads(path.read_bytes())


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
    for part in ('images', 'annotations', 'categories'):
        if not isinstance(content.get(part), list):
            raise ValueError(f'{path} must have the list {part}')
    categories: dict[str, str] = {}
    keypoints = {}
    for each in content['categories']:
        name = str(each.get('name', each['id']))
        if name in categories.values():
            name += f' (id {each["id"]})'
        categories[_key(each['id'])] = name
        names = ordered_names(each.get('keypoints') or [])
        if names:
            links = each.get('skeleton') or []
            first = 0 if any(0 in link for link in links) else 1
            if any(not 0 <= index - first < len(names)
                   for link in links for index in link):
                raise ValueError(f'{path}: skeleton of {name!r} links other '
                                 f'keypoints than its {len(names)}: {links}')
            keypoints[name] = KeypointNames(names, [
                (names[a - first], names[b - first]) for a, b in links])
    part = part_of(path.parent.name) or part_of(path.stem)
    images = {}
    for each in content['images']:
        file = str(each['file_name'])
        if (path.parent / file).is_file():
            file = f'{path.parent.name}/{file}'
        if _key(each['id']) in images:
            raise ValueError(f'{path}: two images have the id {each["id"]!r}')
        images[_key(each['id'])] = LabeledImage(
            file, [], (int(each.get('width') or 0),
                       int(each.get('height') or 0)), part=part)
    unmarked = 0
    for index, each in enumerate(content['annotations']):
        where = f'{path}, annotations[{index}]'
        for name, known in (('image_id', images), ('category_id', categories)):
            if _key(each.get(name)) not in known:
                raise ValueError(f'{where}: {name} {each.get(name)!r} is not '
                                 "one of the file's")
        numbers = each.get('keypoints') or []
        if each.get('iscrowd') or not numbers:
            continue
        if isinstance(numbers, list) and isinstance(numbers[0], list):
            numbers = [number for point in numbers for number in point]
        category = categories[_key(each['category_id'])]
        if category not in keypoints:
            keypoints[category] = KeypointNames(
                [f'keypoint_{i + 1}' for i in range(len(numbers) // 3)])
        try:
            points = points_of(keypoints[category].names, numbers)
        except ValueError as error:
            raise ValueError(f'{where}: {error}') from error
        images[_key(each['image_id'])].people.append(
            LabeledPerson(points, _box(each.get('bbox')), category))
        unmarked += bool(not points and any(numbers))
    if unmarked and unmarked == sum(
            len(image.people) for image in images.values()):
        raise ValueError(f'{path}: v = 0 for every keypoint, though x and y '
                         'are given: set v to 2 where they are annotated')
    return LabelTable(list(images.values()), keypoints)


def _key(identifier: Any) -> str:
    """Return an id as text, the same for 1, 1.0 and '1'."""
    return str(identifier).removesuffix('.0')


def _box(numbers: Any) -> tuple[float, ...] | None:
    """Return left, top, width and height if that is a box with an area."""
    if not isinstance(numbers, list) or len(numbers) != 4 or not all(
            map(is_number, numbers)) or min(map(float, numbers[2:])) <= 0:
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
        if label.findtext('type') == 'skeleton':
            keypoints[label.findtext('name') or ''] = KeypointNames(
                [], _cvat_links(label.findtext('svg') or ''))
    for label in root.iterfind('meta//label'):
        if (parent := label.findtext('parent')) in keypoints:
            keypoints[parent].names.append(label.findtext('name') or '')
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
    box_label = ''
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
            box_label = label
    people += [(group, LabeledPerson(points))
               for group, all_points in loose.items()
               for points in separate(all_points)]
    for group, person in people:
        # The only box may be a cage.
        is_only = len(people) == len(boxes) == 1 and (
            group in loose or box_label == person.category)
        if is_only or group not in ('0', ''):
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
    another person. Of several annotations of a task the last that has results
    is read, but one that is marked as ground truth before the others.

    Raises:
        ValueError: if an image was rotated while labelling, or has no name.
    """
    images = []
    for task in load_json(path):
        data = task.get('data', task)
        done = [each for each in task.get('annotations', ())
                if isinstance(each, dict) and not each.get('was_cancelled')]
        done.sort(key=lambda each: (bool(each.get('result')),
                                    bool(each.get('ground_truth'))))
        results = done[-1]['result'] if done else [
            dict(value=value, id=f'{key}{index}', **value)
            for key, values in task.items() if isinstance(values, list)
            for index, value in enumerate(values) if isinstance(value, dict)
            and 'x' in value
        ]
        if any(each.get('image_rotation') for each in results):
            raise ValueError(f'{path}: task {task.get("id")} was labelled in '
                             'a rotated image')
        texts = [each for each in data.values() if isinstance(each, str)]
        name = next((each for pattern in (r'\.\w{3,4}($|\?)', '/') for each in
                     texts if re.search(pattern, each)), None)
        if name is None:
            raise ValueError(f'{path}: data of task {task.get("id")} has no '
                             'name of an image')
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
            owner = _box_around(boxes, x, y)
        groups.setdefault(owner, []).append(
            (value['keypointlabels'][0], (x, y, 2)))
    return [LabeledPerson(points, boxes.get(owner) if owner else None)
            for owner, points_in in groups.items()
            for points in separate(points_in)]


def _box_around(boxes: dict, x: float, y: float) -> Any:
    """Return the key of the smallest box that contains a point, or None."""
    around = [(width * height, str(key), key)
              for key, (left, top, width, height) in boxes.items()
              if left <= x <= left + width and top <= y <= top + height]
    return min(around)[2] if around else None


def read_labelme(path: Path) -> LabelTable:
    """Read one file of LabelMe.

    People are told apart by ``group_id``; points without one are a person's
    of the rectangle, without one, in which they lie.
    """
    content = load_json(path)
    groups: dict[Any, list[tuple[str, Point]]] = {}
    boxes: dict[Any, tuple[float, ...]] = {}
    loose: dict[str, tuple[float, ...]] = {}
    for number, shape in enumerate(content['shapes']):
        if shape.get('shape_type') == 'rectangle':
            (left, top), (right, bottom) = (
                [pick(axis) for axis in zip(*shape['points'])]
                for pick in (min, max))
            box = left, top, right - left, bottom - top
            if shape.get('group_id') is None:
                loose[f'shape {number}'] = box
            else:
                boxes[shape['group_id']] = box
    boxes.update(loose)
    for shape in content['shapes']:
        group, places = shape.get('group_id'), shape['points']
        # Old versions write no type.
        if shape.get('shape_type', 'point') == 'point' and len(places) == 1:
            x, y = map(float, places[0])
            hidden = (shape.get('flags') or {}).get('occluded')
            groups.setdefault(_box_around(loose, x, y) if group is None else
                              group, []).append(
                (shape['label'], (x, y, 1 if hidden else 2)))
    data = content.get('imageData')
    image = LabeledImage(
        (path.parent / content['imagePath'].replace('\\', '/')).as_posix(),
        [LabeledPerson(points, boxes.get(group))
         for group, points_in in groups.items()
         for points in separate(points_in)],
        (content.get('imageWidth') or 0, content.get('imageHeight') or 0),
        pixels=base64.b64decode(data) if data else None)
    return LabelTable([image])
