"""Records of the datasets, through MMPose's pipeline to the target."""
import numpy as np
import pytest
from matlab_files import write_head_boxes
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS
from pose_files import entry, write_json, write_noise

from hourglass_plugin.skeletons import FLIC, MPII


def build(name, folder, **options):
    return DATASETS.build(
        dict(type=f'Hourglass{name}Dataset', data_root=str(folder),
             ann_file='a.json', data_prefix=dict(img='images'), **options))


def test_mpii_record(tmp_path):
    entries = [entry(MPII, 0), entry(MPII, 1, image='000000000.jpg',
                                     joints_vis=[0] + [1] * 15)]
    write_json(tmp_path / 'a.json', entries)
    write_head_boxes(tmp_path / 'gt.mat', entries, [[[1, 1], [4, 5]]] * 2)
    dataset = build('MPII', tmp_path, headbox_file='gt.mat')
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
        5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]


def test_head_boxes_as_mmposes_configs_name_them(tmp_path, monkeypatch):
    """With the dataset's folder in the name; our own configs leave it out."""
    monkeypatch.chdir(tmp_path)
    (folder := tmp_path / 'data').mkdir()
    write_json(folder / 'a.json', [entry(MPII)])
    write_head_boxes(folder / 'gt.mat', [entry(MPII)], [[[1, 1], [4, 5]]])
    for name in ('gt.mat', 'data/gt.mat', str(folder / 'gt.mat')):
        record = build('MPII', 'data', headbox_file=name)[0]
        assert record['head_size'].item() == pytest.approx(3.0)
    with pytest.raises(FileNotFoundError):
        build('MPII', 'data', headbox_file='none.mat')


def test_flic_torso_size_of_the_file_reaches_the_metric(tmp_path):
    """Through MMPose's packing; a fifth of 30 pixels is 6."""
    init_default_scope('mmpose')
    write_json(tmp_path / 'a.json', [
        entry(FLIC, image='a.png', torso_size=30.0)])
    write_noise(tmp_path / 'images', ['a.png'])
    dataset = build('FLIC', tmp_path, test_mode=True, pipeline=[
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale', padding=1.25),
        dict(type='TopdownAffine', input_size=(64, 64)),
        dict(type='PackPoseInputs')])
    metric = METRICS.build(dict(type='TorsoPCKMetric'))
    metric.dataset_meta = dataset.metainfo
    for shift, score in ((5.9, 100), (6.1, 0)):
        sample = dataset[0]['data_samples'].to_dict()
        sample['pred_instances'] = dict(
            keypoints=sample['gt_instances']['keypoints'] + [shift, 0])
        metric.process(None, [sample])
        assert metric.evaluate(1)['flic/PCK@0.2'] == score


def test_a_file_without_people_is_named(tmp_path):
    write_json(tmp_path / 'a.json', [])
    with pytest.raises(ValueError, match='a.json'):
        build('FLIC', tmp_path)
