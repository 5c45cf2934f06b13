"""Small MATLAB files as MATLAB writes them: structs, empty matrices, cells."""
import numpy as np
from scipy.io import savemat

#: What MATLAB writes for a struct, a number or a text without a value.
EMPTY = np.zeros((0, 0))


def struct_array(elements, shape=None):
    """A struct array, 1 x N or of a shape, of one dict per element.

    What only some of them have is empty in the others, as in MATLAB.
    """
    names = list(dict.fromkeys(name for each in elements for name in each))
    array = np.empty(len(elements), dtype=[(name, object) for name in names])
    for index, element in enumerate(elements):
        array[index] = tuple(element.get(name, EMPTY) for name in names)
    return array.reshape(shape or (1, len(elements)))


def struct(**fields):
    """A 1 x 1 struct."""
    return struct_array([fields])


def cell_array(elements, shape=None):
    """A cell array, N x 1 unless told otherwise."""
    array = np.empty(len(elements), dtype=object)
    for index, element in enumerate(elements):
        array[index] = element
    return array.reshape(shape or (len(elements), 1))


def mpii_point(joint, x, y, **more):
    """One joint of the official MPII file; ``more`` is ``is_visible``."""
    return dict(x=x, y=y, id=np.uint8(joint), **more)


def mpii_person(points=None, place=(120, 80), scale=1.5, box=(40, 30, 70, 70)):
    """One element of ``annorect``; what is None is not there."""
    person = {}
    if box is not None:
        person.update(zip(('x1', 'y1', 'x2', 'y2'), box))
    if points is not None:
        person['annopoints'] = struct(point=struct_array(points))
    if scale is not None:
        person['scale'] = scale
    if place is not None:
        person['objpos'] = struct(x=place[0], y=place[1])
    return person


def flic_example(name, coords=0.0, **more):
    """One element of FLIC's ``examples``, of an image of 720 x 480 pixels."""
    return {'filepath': name, 'coords': coords, 'istrain': 0, 'istest': 1,
            'imgdims': np.array([[480.0, 720, 3]]),
            'torsobox': np.array([[201.5, 90, 298.5, 230]]), **more}


def _changed(content, changes):
    return {name: value for name, value in {**content, **changes}.items()
            if value is not None}


def write_official_mpii(path, images, **changes):
    """A small ``mpii_human_pose_v1_u12_1.mat``.

    ``images`` has a (file name, whether for training, people, positions of
    single people from 1) per image, people as from :func:`mpii_person`;
    ``changes`` are other fields of ``RELEASE``, None leaves one out.
    """
    release = dict(
        annolist=struct_array([
            dict(image=struct(name=name), frame_sec=EMPTY, vididx=3.0,
                 annorect=struct_array(people) if people else EMPTY)
            for name, _, people, _ in images]),
        img_train=np.array([[training for _, training, _, _ in images]],
                           np.uint8),
        version='12',
        single_person=cell_array([
            np.array(single, np.uint8).reshape(-1, 1) if single else EMPTY
            for _, _, _, single in images]))
    release = struct(**_changed(release, changes))
    savemat(path, dict(RELEASE=release), do_compression=True)
    return path


def write_head_boxes(path, entries, boxes, **changes):
    """A small ``mpii_gt_val.mat``: 1-based, people along the last axis.

    ``entries`` have ``joints`` and ``joints_vis``, ``boxes`` two corners of
    each head; ``changes`` are other variables, None leaves one out.
    """
    joints = np.array([entry['joints'] for entry in entries], float)
    known = np.array([entry['joints_vis'] for entry in entries], np.uint8)
    content = dict(
        headboxes_src=np.moveaxis(np.array(boxes, float), 0, 2),
        pos_gt_src=np.moveaxis(joints, 0, 2),
        jnt_missing=np.uint8(1) - known.T)
    savemat(path, _changed(content, changes))
    return path
