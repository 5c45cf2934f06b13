"""Small JSON files of people and, in COCO's format, of dogs."""
import copy
import json

import numpy as np


def entry(skeleton, seed=0, **changes):
    """Return a person with random joints, all annotated."""
    rng = np.random.default_rng(seed)
    person = dict(
        image=f'{seed:09d}.jpg',
        center=[120.0, 80.0],
        scale=1.5,
        joints=rng.uniform(1, 200, (skeleton.num_keypoints, 2)).tolist(),
        joints_vis=[1] * skeleton.num_keypoints)
    person.update(changes)
    return person


def write_json(path, content):
    """Write a JSON file; return its path."""
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


#: Three keypoints on a dog, one of them hidden and one not annotated.
DOG_METAINFO = dict(
    dataset_name='dogs',
    keypoint_info={
        0: dict(name='nose', swap=''),
        1: dict(name='left_ear', swap='right_ear'),
        2: dict(name='right_ear', swap='left_ear'),
    },
    skeleton_info={0: dict(link=('nose', 'left_ear'))},
    joint_weights=[1.0] * 3,
    sigmas=[])
DOG_COCO = dict(
    images=[dict(id=7, file_name='a.jpg', width=100, height=80)],
    annotations=[
        dict(
            id=1,
            image_id=7,
            category_id=1,
            bbox=[10, 20, 30, 40],
            area=1200,
            iscrowd=0,
            num_keypoints=2,
            keypoints=[12, 22, 2, 0, 0, 0, 30, 50.5, 1])
    ],
    categories=[dict(id=1, name='dog')])


def changed(source, changes):
    """Return a copy with values at paths of keys, 'a.0.b'; None removes."""
    result = copy.deepcopy(source)
    for path, value in changes.items():
        *parents, last = [
            int(key) if key.isdigit() else key for key in path.split('.')
        ]
        part = result
        for key in parents:
            part = part[key]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return result
