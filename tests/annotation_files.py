"""A small annotation file of every kind, as it should be or with a change.

``FILES[kind]`` is (write, read): ``write(folder, change)`` returns the path,
in whose second entry or variables the change is; ``{}`` changes nothing.
"""
import numpy as np
from matlab_files import (
    flic_example,
    mpii_person,
    mpii_point,
    struct_array,
    write_head_boxes,
    write_official_mpii,
)
from newell_files import newell_rows, write_newell_h5
from pose_files import DOG_COCO, DOG_NAMES, changed, entry, write_json
from scipy.io import savemat

from hourglass_plugin.datasets.coco_file import read_coco_file
from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.mpii_ground_truth import (
    read_mpii_ground_truth,
)
from hourglass_plugin.skeletons import MPII

POINTS = [mpii_point(joint, 10 + joint, 20) for joint in range(16)]
CPM = dict(
    img_paths='a.jpg', objpos=[60, 70], scale_provided=1.5,
    joint_self=[[9 + joint, 9, 1] for joint in range(16)],
    isValidation=0, annolist_index=3, people_index=1)
EXAMPLE = flic_example('a.jpg', np.arange(58.0).reshape(2, 29))


def lsp_joints(extended=False, **changes):
    """Joints of two people; ``changes`` at joint 6 of the last."""
    joints = np.ones((14, 3, 2)) + np.arange(14)[:, None, None]
    joints[:, 2] = extended
    for axis, value in changes.items():
        joints[6, 'xyv'.index(axis), 1] = value
    return joints if extended else joints.transpose(1, 0, 2)


def write_people(folder, changes):
    """HRNet's JSON; 'absent' leaves a key out."""
    second = {key: value for key, value in entry(MPII, **changes).items()
              if value != 'absent'}
    first = entry(MPII, head_size=9.0, official_index=[3, 1])
    return write_json(folder / 'a.x', [first, second])


def write_cpm(folder, changes):
    return write_json(folder / 'a.x', [CPM, changed(CPM, changes)])


def write_h5(folder, changes):
    rows = dict(newell_rows(2, 16), **changes)
    return write_newell_h5(folder / 'a.x', {
        name: row for name, row in rows.items() if row is not None})


def write_examples(folder, changes):
    path = folder / 'a.x.mat'
    savemat(path, dict(
        examples=struct_array([EXAMPLE, {**EXAMPLE, **changes}])))
    return path


def write_joints(folder, joints):
    path = folder / 'a.x.mat'
    if isinstance(joints, dict):
        joints = lsp_joints()
    savemat(path, dict(joints=joints))
    return path


def write_truth(folder, changes):
    return write_head_boxes(
        folder / 'a.x', [entry(MPII, n) for n in range(3)],
        [[[10, 10], [13 + n, 14]] for n in range(3)], **changes)


def write_image(folder, image):
    """A training image's name and second person."""
    name, person = image or ('b.jpg', mpii_person(POINTS))
    people = [mpii_person(POINTS), person]
    return write_official_mpii(folder / 'a.x', [('a.jpg', 1, [], []),
                                                (name, 1, people, [])])


def write_release(folder, changes):
    images = [(name, 0, [mpii_person(POINTS)], [1]) for name in 'ab']
    return write_official_mpii(folder / 'a.x', images, **changes)


def write_coco(folder, changes):
    return write_json(folder / 'a.x', changed(DOG_COCO, changes))


FILES = dict(
    people=(write_people, read_mpii),
    cpm=(write_cpm, lambda path: read_mpii(path, 'train')),
    h5=(write_h5, read_mpii),
    examples=(write_examples, lambda path: read_flic(path, 'test')),
    joints=(write_joints, read_lsp),
    truth=(write_truth, read_mpii_ground_truth),
    image=(write_image, read_mpii),
    release=(write_release, lambda path: read_mpii(path, 'test')),
    coco=(write_coco, lambda path: read_coco_file(
        str(path), DOG_NAMES, str(path.parent))))
