"""Labels of DeepLabCut, Lightning Pose and SLEAP."""
import csv
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from .table import (
    KeypointNames,
    LabeledImage,
    LabeledPerson,
    LabelTable,
    is_number,
)


def read_deeplabcut(path: Path) -> LabelTable:
    """Read the CSV or HDF5 table of DeepLabCut or Lightning Pose.

    With one animal or several (a row ``individuals``). The lines between
    keypoints are those of the project's ``config.yaml``, if it is there.

    Raises:
        ValueError: if it is another table, or the packages for HDF5 are
            missing.
    """
    if path.suffix == '.csv':
        with path.open(encoding='utf-8-sig', newline='') as file:
            rows = [row for row in csv.reader(file) if row]
    else:
        rows = _hdf5_rows(path)
    kinds = ('scorer', 'individuals', 'bodyparts', 'coords')
    header = {row[0]: row for row in rows if row[0] in kinds}
    if not {'bodyparts', 'coords'} <= set(header):
        raise ValueError(f'{path} is no table of DeepLabCut or Lightning '
                         'Pose: it has no rows bodyparts and coords')
    coords, parts = header['coords'], header['bodyparts']
    individuals = header.get('individuals', [''] * len(coords))
    first = coords.index('x')
    columns = [index for index in range(first, len(coords))
               if coords[index] == 'x']
    names: dict[str, list[str]] = {}
    for index in columns:
        known = names.setdefault(_category(individuals[index]), [])
        if parts[index] not in known:
            known.append(parts[index])
    images = []
    for row in rows:
        if row[0] in kinds:
            continue
        people: dict[str, LabeledPerson] = {}
        for index in columns:
            who = individuals[index]
            person = people.setdefault(
                who, LabeledPerson({}, category=_category(who)))
            x, y = [*row, '', ''][index:index + 2]
            if is_number(x) and is_number(y):
                person.points[parts[index]] = float(x), float(y), 2
        images.append(
            LabeledImage('/'.join(map(str, row[:first])),
                         list(people.values())))
    links = _project_links(path)
    return LabelTable(
        images, {
            category: KeypointNames(each, [(a, b) for a, b in links
                                           if {a, b} <= set(each)])
            for category, each in names.items()
        })


def _category(individual: str) -> str:
    """Return the category: 'single' has points that are not an animal's."""
    return 'single' if individual == 'single' else 'animal'


def _hdf5_rows(path: Path) -> list[list[Any]]:
    """Return the rows of a table in HDF5 as those of the CSV."""
    with suppress(ImportError, OSError):
        import h5py
        with h5py.File(path) as file:
            is_analysis = 'node_names' in file
        if is_analysis:
            raise ValueError(f'{path} has the tracks of a SLEAP analysis, not '
                             'which of them a user labelled: give the .slp')
    try:
        import pandas
        table = pandas.read_hdf(path)
    except ImportError as error:
        raise ValueError(
            f'{path}: give the .csv beside it, or install what reads .h5: pip '
            'install "hourglass-plugin[labels]"') from error
    index = [each if isinstance(each, tuple) else (each, )
             for each in table.index]
    empty = [''] * (len(index[0]) - 1) if index else []
    header = [[name, *empty, *table.columns.get_level_values(name)]
              for name in table.columns.names]
    return header + [[*each, *values]
                     for each, values in zip(index, table.to_numpy())]


def _project_links(path: Path) -> list[list[str]]:
    """Return the skeleton of the DeepLabCut project around a table."""
    for folder in list(path.absolute().parents)[:3]:
        config = folder / 'config.yaml'
        if config.is_file():
            return (yaml.safe_load(config.read_text('utf-8'))
                    or {}).get('skeleton') or []
    return []


def read_sleap(path: Path) -> LabelTable:
    """Read SLEAP's labels; those of users, not predictions.

    Images in the file, and frames of its videos, come with the table.

    Raises:
        ValueError: if sleap-io is not installed.
    """
    try:
        import sleap_io
    except ImportError as error:
        raise ValueError(f'{path}: install what reads SLEAP: pip install '
                         '"hourglass-plugin[labels]"') from error
    labels = sleap_io.load_slp(str(path))
    skeleton = labels.skeletons[0]
    flips = {}
    for one, other in (tuple(each.nodes) for each in skeleton.symmetries):
        flips.update({one.name: other.name, other.name: one.name})
    images = []
    for frame in labels.labeled_frames:
        people = []
        for instance in frame.user_instances:
            points = {
                name: (float(x), float(y), 2) for name, (x, y) in zip(
                    instance.skeleton.node_names, instance.numpy()[:, :2])
                if np.isfinite([x, y]).all()
            }
            people.append(LabeledPerson(points))
        names = frame.video.filename
        image = LabeledImage(str(names), people, frame=frame.frame_idx)
        if isinstance(names, list):
            image = LabeledImage(str(names[frame.frame_idx]), people)
        elif people:
            pixels = np.asarray(frame.image)
            image.pixels = cv2.cvtColor(
                pixels, cv2.COLOR_GRAY2BGR if pixels.shape[2:] in ((), (1, ))
                else cv2.COLOR_RGB2BGR)
            image.file = f'video{labels.videos.index(frame.video)}'
        images.append(image)
    links = [(a, b) for a, b in skeleton.edge_names]
    return LabelTable(
        images,
        dict(animal=KeypointNames(list(skeleton.node_names), links, flips)))
