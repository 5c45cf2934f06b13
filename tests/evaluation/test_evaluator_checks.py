"""Metrics are tried on a dataset's own ground truth before training."""
import numpy as np
import pytest
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmpose.registry import DATASETS, METRICS
from pose_files import DOG_COCO, DOG_METAINFO, changed, write_json

from hourglass_plugin.evaluation.checks import check_evaluator
from hourglass_plugin.visualization import save_image


@pytest.fixture
def check(tmp_path):
    """Check a metric on one dog; return the names of its scores."""
    save_image(tmp_path / 'a.jpg', np.zeros((80, 100, 3), np.uint8))

    def check(metric, sigmas=(), changes=(), kind='CustomKeypointDataset'):
        path = write_json(tmp_path / 'a.json', changed(
            DOG_COCO, dict(changes)))
        dataset = DATASETS.build(dict(
            type=kind, metainfo=dict(DOG_METAINFO, sigmas=list(sigmas)),
            ann_file=str(path), data_prefix=dict(img=str(tmp_path)),
            test_mode=True, pipeline=[
                dict(type='GetBBoxCenterScale'),
                dict(type='TopdownCrop', input_size=(64, 64)),
                dict(type='PackPoseInputs')]))
        metric = METRICS.build(metric)
        metric.dataset_meta = dataset.metainfo
        return metric, check_evaluator(Evaluator(metric), dataset, 'val')

    return check


@pytest.mark.parametrize('metric, score', [
    ('BoxPCKMetric', 'dogs/BoxPCK@0.2'), ('CocoMetric', 'coco/AP'),
    ('MedianErrorMetric', 'dogs/MedianError'),
    ('PCKAccuracy', 'PCK'), ('EPE', 'EPE')])
def test_names_of_scores(metric, score, check, capfd, messages):
    metric, scores = check(dict(type=metric), [0.05] * 3)
    assert score in scores
    assert not metric.results
    # Nothing is printed or logged until then.
    assert 'Average' not in capfd.readouterr().out
    MMLogger.get_current_instance().info('after')
    assert [record.message for record in messages.records
            if record.levelname == 'INFO'] == ['after']


@pytest.mark.parametrize('metric', [
    dict(type='CocoMetric'), dict(type='NME', norm_mode='keypoint_distance'),
    dict(type='PCKAccuracy', norm_item='head'),
    dict(type='JhmdbPCKAccuracy', norm_item='torso'),
    dict(type='PCKhMetric'), dict(type='TorsoPCKMetric')])
def test_what_a_metric_needs_is_named(metric, check):
    with pytest.raises(ValueError, match=metric['type']):
        check(metric)


def test_coco_metric_has_the_annotations_as_they_are_read(check, tmp_path):
    """Names in another order, no count, no area, no crowd mark."""
    changes = {f'annotations.0.{name}': None
               for name in ('num_keypoints', 'area', 'iscrowd')}
    changes['categories.0.keypoints'] = ['right_ear', 'nose', 'left_ear']
    metric, _ = check(dict(type='CocoMetric'), [0.05] * 3, changes)
    (annotation, ) = metric.coco.anns.values()
    assert annotation['keypoints'] == [0, 0, 0, 30, 50.5, 1, 12, 22, 2]
    assert annotation['num_keypoints'] == 2 and annotation['area'] > 0
