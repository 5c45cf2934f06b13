"""Drawn people: poses, images, MPII's files."""
import cv2
import numpy as np
import pytest
from scipy.io import loadmat
from synthetic import Settings
from synthetic_people import BONES, DATASET, make_sample, sample_pose

from hourglass_plugin.datasets.pose_datasets import HourglassMPIIDataset
from hourglass_plugin.skeletons import MPII


@pytest.mark.parametrize('seed', range(40))
def test_bones_and_bends_are_human(seed):
    joints = dict(zip(
        MPII.joints, sample_pose(np.random.default_rng(seed))))

    def bone(start, end, name):
        vector = joints[end] - joints[start]
        assert 0.84 < np.linalg.norm(vector) / BONES[name] < 1.16
        return vector

    bone('upper_neck', 'head_top', 'head')
    bone('thorax', 'upper_neck', 'neck')
    bone('pelvis', 'thorax', 'trunk')
    lengths = []
    for side in ('left', 'right'):
        limbs = np.array([
            bone(f'{side}_{start}', f'{side}_{end}', name)
            for start, end, name in (('shoulder', 'elbow', 'upper_arm'),
                                     ('elbow', 'wrist', 'forearm'),
                                     ('hip', 'knee', 'thigh'),
                                     ('knee', 'ankle', 'shin'))])
        lengths.append(np.linalg.norm(limbs, axis=1))
        directions = limbs / lengths[-1][:, None]
        # cos of the bend: 1 is straight, 110 and 85 degrees are the most.
        for first, most in ((0, 110), (2, 85)):
            assert directions[first] @ directions[first + 1] >= np.cos(
                np.radians(most)) - 1e-9
        # Knees bend backward: thigh down (y) and shin back (-z) turn by +x.
        assert np.cross(limbs[2], limbs[3])[0] < 1e-9
    assert lengths[0] == pytest.approx(lengths[1])
    assert joints['left_hip'][0] > 0 > joints['right_hip'][0]


def test_joints_lie_on_the_drawn_body(monkeypatch):
    """Without noise, the body differs from the same background without it."""
    monkeypatch.setattr('drawing.photograph', lambda rng, image: image)
    monkeypatch.setattr('drawing.background',
                        lambda rng, *size: np.full((*size, 3), 1, np.uint8))
    for index in range(30):
        image, person = make_sample(3, 'train', index)
        body = (image != 1).any(2)
        for (x, y), inside in zip(person['joints'], person['annotated']):
            if inside:  # the top of the head is on the outline
                window = body[max(round(y) - 1, 0):round(y) + 2,
                              max(round(x) - 1, 0):round(x) + 2]
                assert window.any()
        x1, y1, x2, y2 = np.rint(person['head']).astype(int)
        # A disc of diameter d fills pi / 4 of its box.
        assert body[y1:y2, x1:x2].mean() >= np.pi / 4 - 0.05


def test_people_fill_their_crops_and_some_are_cut():
    whole = facing = 0
    left, right = MPII.indices(['left_hip', 'right_hip'])
    for index in range(60):
        image, person = make_sample(2, 'val', index)
        joints, scale = person['joints'], person['scale']
        facing += joints[left, 0] > joints[right, 0]
        height, width = image.shape[:2]
        inside = ((joints >= 0) & (joints <= (width - 1, height - 1))).all(1)
        np.testing.assert_array_equal(person['annotated'], inside)
        assert inside[MPII.indices(['upper_neck', 'head_top'])].all()
        if inside.all():
            whole += 1
            # The paper's crop, a square of 250 scale that lies 15 scale
            # lower, holds them.
            reach = np.abs(joints - person['center'] - (0, 15 * scale)).max()
            assert 0.15 * 250 * scale < reach < 0.5 * 250 * scale
    # One in eight is larger than the image; of 60 the deviation is 2.6.
    assert 42 <= whole < 60
    # Of those who face the viewer, 90 %, the left is on the image's right;
    # of 60 the deviation is 2.3.
    assert 45 <= facing < 60


def test_files_contain_the_samples(tmp_path):
    list(DATASET.write(tmp_path / 'people', Settings(5, 3, 7)))
    annotations = tmp_path / 'people/annotations'
    content = loadmat(str(annotations / 'mpii_gt_val.mat'))
    assert content['headboxes_src'].shape == (2, 2, 3)
    assert content['pos_gt_src'].shape == (16, 2, 3)
    names = [name.item() for name in content['dataset_joints'][0]]
    # rank is the right ankle, ..., lwri the left wrist: the order of MPII.
    assert [name[0] for name in names[:6] + names[10:]] == [*'rrrlllrrrlll']
    assert names[6:10] == ['pelv', 'thor', 'neck', 'head']
    for split, count in (('train', 5), ('val', 3)):
        people = HourglassMPIIDataset(
            data_root=str(annotations.parent), test_mode=True,
            ann_file=f'annotations/mpii_{split}.json',
            headbox_file=(
                'annotations/mpii_gt_val.mat' if split == 'val' else None),
            data_prefix=dict(img='images/'))
        assert len(people) == count
        for index, record in enumerate(people):
            drawn, person = make_sample(7, split, index)
            image = cv2.imread(record['img_path'])
            # JPEG of quality 90 keeps noise and edges roughly.
            assert np.abs(image.astype(float) - drawn).mean() < 8
            annotated = person['annotated']
            np.testing.assert_array_equal(
                record['keypoints_visible'][0], annotated)
            # 0-based again; rounded to 0.01 in the file.
            np.testing.assert_allclose(
                record['keypoints'][0][annotated], person['joints'][annotated],
                atol=0.0052)
            if split == 'val':
                box = person['head']
                assert record['head_size'].item() == pytest.approx(
                    0.6 * np.linalg.norm(box[2:] - box[:2]), rel=1e-5)
                np.testing.assert_allclose(
                    content['pos_gt_src'][..., index][annotated],
                    person['joints'][annotated] + 1, atol=0.0052)
                np.testing.assert_array_equal(
                    content['jnt_missing'][:, index], ~annotated)
