"""Drawn people: joints on the body, MPII's files."""
import cv2
import numpy as np
import pytest
from scipy.io import loadmat
from synthetic import Settings
from synthetic_people import DATASET, make_sample

from hourglass_plugin.datasets.pose_datasets import HourglassMPIIDataset


def test_joints_lie_on_the_drawn_body(monkeypatch):
    """Without noise, the body differs from the same background without it."""
    monkeypatch.setattr('drawing.with_noise', lambda rng, image: image)
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
