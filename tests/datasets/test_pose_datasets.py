"""Records of the data sets, through MMPose's pipeline to the target."""
import cv2
import numpy as np
import pytest
from matlab_files import write_head_boxes
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from test_pose_json import entry, write

from hourglass_plugin.skeletons import LSP, MPII


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def build(kind, folder, **options):
    return DATASETS.build(
        dict(
            type=kind,
            data_root=str(folder),
            ann_file='a.json',
            data_prefix=dict(img='images'),
            **options))


def test_mpii_record(tmp_path):
    entries = [
        entry(MPII, 0),
        entry(MPII, 1, image='000000000.jpg', joints_vis=[0] + [1] * 15)
    ]
    write(tmp_path / 'a.json', entries)
    write_head_boxes(tmp_path / 'gt.mat', entries, [[[1, 1], [4, 5]]] * 2)
    dataset = build('MPIIDataset', tmp_path, headbox_file='gt.mat')
    first, second = dataset[0], dataset[1]
    # 1-based centre (120, 80), moved down by 15 * 1.5, counted from 0.
    assert first['bbox_center'].tolist() == [[119, 101.5]]
    assert first['bbox_scale'].tolist() == [[300, 300]]
    assert first['bbox'].tolist() == [[-31, -48.5, 269, 251.5]]
    np.testing.assert_allclose(
        first['keypoints'][0], np.array(entries[0]['joints']) - 1, rtol=1e-6)
    assert first['head_size'].item() == pytest.approx(3.0)  # 0.6 * 5
    assert second['keypoints_visible'].tolist() == [[0] + [1] * 15]
    assert first['img_id'] == second['img_id'] and second['id'] == 1
    assert first['img_path'].endswith('000000000.jpg')
    assert dataset.metainfo['flip_indices'] == [
        5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10
    ]


def test_lsp_record_keeps_its_pixels(tmp_path):
    write(tmp_path / 'a.json', [entry(LSP)])
    record = build('LSPDataset', tmp_path)[0]
    assert record['bbox_center'].tolist() == [[120, 80]]
    np.testing.assert_allclose(
        record['keypoints'][0], entry(LSP)['joints'], rtol=1e-6)
    assert 'head_size' not in record


@pytest.mark.parametrize('flipped', [False, True])
def test_a_bright_pixel_stays_on_its_keypoint(tmp_path, flipped):
    """A white pixel at each keypoint; after flip, scaling, rotation and crop
    the image is bright where the keypoints are. The warp is linear, so the
    pixel's weight lies within one pixel of the true position; its centroid is
    compared to 0.1 pixel (the image has 256 grey levels)."""
    spots = np.array([[30 + 13 * k, 60 + 9 * ((k * 5) % 14)]
                      for k in range(14)], float)
    write(tmp_path / 'a.json',
          [entry(LSP, joints=spots.tolist(), center=[125, 120], scale=0.9)])
    image = np.zeros((240, 260, 3), np.uint8)
    for x, y in spots.astype(int):
        image[y, x] = 255
    (tmp_path / 'images').mkdir()
    cv2.imwrite(str(tmp_path / 'images' / '000000000.png'), image)
    annotation = tmp_path / 'a.json'
    annotation.write_text(annotation.read_text().replace('.jpg', '.png'))

    class FixedRotation(dict):

        def __call__(self, results):
            results['bbox_scale'] = results['bbox_scale'] * np.float32(0.8)
            results['bbox_rotation'] = np.array([37.0], np.float32)
            return results

    dataset = build(
        'LSPDataset',
        tmp_path,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale', padding=1.25),
            dict(type='RandomFlip', prob=float(flipped)),
            FixedRotation().__call__,
            # Larger than the source, so that a spot covers several pixels.
            dict(type='TopdownAffine', input_size=(512, 512)),
        ])
    results = dataset[0]
    crop = results['img'][..., 0].astype(float)
    order = LSP.flip_indices if flipped else list(range(14))
    checked = 0
    for x, y in results['transformed_keypoints'][0][order]:
        left, top = int(x) - 5, int(y) - 5
        patch = crop[max(top, 0):top + 12, max(left, 0):left + 12]
        if left < 0 or top < 0 or patch.shape != (12, 12):
            continue
        rows, columns = np.mgrid[top:top + 12, left:left + 12]
        centroid = [(columns * patch).sum() / patch.sum(),
                    (rows * patch).sum() / patch.sum()]
        np.testing.assert_allclose(centroid, [x, y], atol=0.1)
        checked += 1
    assert checked >= 8
