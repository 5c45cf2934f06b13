"""Labels of Ultralytics pose datasets."""
from pathlib import Path

import yaml

from .table import (
    KeypointNames,
    LabeledImage,
    LabeledPerson,
    LabelTable,
    ordered_names,
    points_of,
)
from .web_tools import part_of


def read_ultralytics(path: Path) -> LabelTable:
    """Read an Ultralytics pose dataset by its YAML file.

    Raises:
        ValueError: if a line does not fit ``kpt_shape`` or ``names``, or
            ``flip_idx`` is not its own inverse.
    """
    settings = yaml.safe_load(path.read_text('utf-8'))
    count, size = settings['kpt_shape']
    flip = settings.get('flip_idx') or list(range(count))
    if sorted(flip) != list(range(count)) or any(
            flip[other] != index for index, other in enumerate(flip)):
        raise ValueError(f'{path}: flip_idx {flip} must have {count} '
                         'positions, the partner of each keypoint')
    root = path.parent / (settings.get('path') or '')
    if not any(root.rglob('labels')):
        root = path.parent
    listed = _ultralytics_lists(settings, root)
    classes = ordered_names(settings['names'])
    all_names = settings.get('kpt_names') or {}
    keypoints = {}
    for index, category in enumerate(classes):
        names = all_names.get(index) if isinstance(all_names, dict) else (
            all_names)
        names = ordered_names(names or [f'keypoint_{i + 1}'
                                        for i in range(count)])
        flips = {names[a]: names[b] for a, b in enumerate(flip) if a != b}
        keypoints[category] = KeypointNames(names, flips=flips)
    images = []
    for file in sorted(root.rglob('*.txt')):
        parts = file.relative_to(root).parts
        if 'labels' not in parts or file.name == 'classes.txt':
            continue
        stem = root.joinpath(*('images' if part == 'labels' else part
                               for part in parts))
        image = next((each for each in sorted(stem.parent.glob('*'))
                      if each.stem == file.stem), stem)
        if listed and image.resolve() not in listed:
            continue
        people = []
        for number, line in enumerate(file.read_text().splitlines()):
            if not line.strip():
                continue
            try:
                kind, cx, cy, w, h, *rest = map(float, line.split())
                if int(kind) not in range(len(classes)):
                    raise ValueError(f'class {int(kind)} is not in names, '
                                     f'which are {", ".join(classes)}')
                category = classes[int(kind)]
                points = points_of(keypoints[category].names, rest, size)
            except ValueError as error:
                raise ValueError(f'{path}: {file}, line {number + 1}: '
                                 f'{error}') from error
            people.append(
                LabeledPerson(
                    {name: point for name, point in points.items()
                     if any(point[:2])},
                    (cx - w / 2, cy - h / 2, w, h), category))
        images.append(
            LabeledImage(image.as_posix(), people, (1, 1), is_relative=True,
                         part=listed.get(image.resolve(),
                                         part_of('/'.join(parts[:-1])))))
    if not images:
        raise ValueError(f'{path}: there are no labels/*.txt in {root}: '
                         'correct path, or put the file beside the folders')
    return LabelTable(images, keypoints)


def _ultralytics_lists(settings: dict, root: Path) -> dict[Path, str]:
    """Return the part of each image, if the parts are lists of images."""
    parts = {}
    for key in ('test', 'val', 'train'):
        file = root / str(settings.get(key) or '')
        if file.suffix == '.txt' and file.is_file():
            for line in file.read_text('utf-8').split('\n'):
                if line.strip():
                    parts[(file.parent / line.strip()).resolve()] = (
                        'train' if key == 'train' else 'val')
    return parts
