"""Small JSON files of people and, in COCO's format, of dogs."""
import copy
import json
import shutil

import cv2
import numpy as np


def entry(skeleton, seed=0, **changes):
    """Return a person with random joints, all annotated."""
    rng = np.random.default_rng(seed)
    count = skeleton.num_keypoints
    return dict(dict(
        image=f'{seed:09d}.jpg', center=[120.0, 80.0], scale=1.5,
        joints=rng.uniform(1, 200, (count, 2)).tolist(),
        joints_vis=[1] * count), **changes)


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
DOG_NAMES = ('nose', 'left_ear', 'right_ear')
DOG_COCO = dict(
    images=[dict(id=7, file_name='a.jpg', width=100, height=80)],
    annotations=[dict(
        id=1, image_id=7, category_id=1, bbox=[10, 20, 30, 40], area=1200,
        iscrowd=0, num_keypoints=2,
        keypoints=[12, 22, 2, 0, 0, 0, 30, 50.5, 1])],
    categories=[dict(id=1, name='dog')])


def write_coco(path, people, size=(100, 100), name='person', **category):
    """Write COCO's file of one person in each image of a width and height.

    People have ``file_name``, ``bbox`` and ``keypoints``, and what else is in
    their annotations; the category has a name, and ``category``.
    """
    images, annotations = [], []
    for index, person in enumerate(people, start=1):
        annotations.append(dict(
            dict(id=index, image_id=index, category_id=1, iscrowd=0,
                 num_keypoints=len(person['keypoints']) // 3), **person))
        images.append(dict(
            id=index, file_name=annotations[-1].pop('file_name', ''),
            width=size[0], height=size[1]))
    return write_json(path, dict(
        images=images, annotations=annotations,
        categories=[dict(id=1, name=name, **category)]))


def write_noise(folder, names, size=(160, 120)):
    """Write images of noise, as wide and high as ``size``."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for name in names:
        cv2.imwrite(str(folder / name), rng.integers(
            0, 255, (*size[::-1], 3), np.uint8))


def write_video(path, images):
    """Write images as the frames of a video, 5 a second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5.0,
                             images[0].shape[1::-1])
    for image in images:
        writer.write(image)
    writer.release()


def write_dogs(project, data):
    """Copy four people of the small project as dogs of four keypoints."""
    shutil.copytree(project.folder / 'images', data / 'images')
    (data / 'annotations').mkdir()
    for name in ('train', 'val'):
        people = json.loads((project.folder / f'{name}.json').read_text())[:4]
        dogs = [
            dict(file_name=person['image'], bbox=[10, 5, 80, 90], keypoints=[
                value for joint in person['joints'][:4]
                for value in (*joint, 2)]) for person in people]
        # Parts of COCO's files that cannot be used.
        write_coco(data / 'annotations' / f'{name}.json', [
            *dogs, dict(dogs[0], iscrowd=1), dict(dogs[0], keypoints=[0] * 12)
        ], name='dog')


def changed(source, changes):
    """Return a copy with values at paths of keys, 'a.0.b'; None removes."""
    result = copy.deepcopy(source)
    for path, value in changes.items():
        *parents, last = [
            int(key) if key.isdigit() else key for key in path.split('.')]
        part = result
        for key in parents:
            part = part[key]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return result
