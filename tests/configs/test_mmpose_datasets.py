"""Configs on MMPose's datasets train and evaluate on small samples."""
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS
from pose_configs import OF_MMPOSE, make_small, trained_scalars
from pose_files import write_coco, write_noise

from hourglass_plugin import with_codec

#: What COCO-WholeBody calls a part of a person.
PARTS = dict(
    CocoWholeBodyHandDataset=('lefthand', 'righthand'),
    CocoWholeBodyFaceDataset=('face', ))


def write_annotations(folder, dataset):
    """Two images of noise with one object each, as the dataset's file."""
    rng = np.random.default_rng(0)
    metainfo = parse_pose_metainfo(DATASETS.get(dataset.type).METAINFO)
    count, box = metainfo['num_keypoints'], [15.0, 15.0, 100.0, 100.0]
    people = []
    for index in (1, 2):
        joints = np.column_stack([rng.uniform(20, 110, (count, 2)),
                                  np.full(count, 2)]).ravel().tolist()
        person = dict(file_name=f'{index}.png', bbox=box, area=1e4,
                      center=[65.0, 65.0], scale=0.5, segmentation=[],
                      keypoints=joints)
        for part in PARTS.get(dataset.type, ()):
            person.update({f'{part}_valid': True, f'{part}_box': box,
                           f'{part}_kpts': joints})
        people.append(person)
    write_noise(folder, ('1.png', '2.png'))
    names = [metainfo['keypoint_id2name'][index] for index in range(count)]
    return write_coco(folder / 'people.json', people, (160, 120),
                      keypoints=names, skeleton=[])


@pytest.mark.parametrize('path', OF_MMPOSE, ids=lambda path: path.name)
def test_config_trains_two_steps_and_evaluates(path, tmp_path):
    config = Config.fromfile(str(path))
    init_default_scope('mmpose')
    file = write_annotations(tmp_path, config.train_dataloader.dataset)
    for dataset in make_small(config, tmp_path, batch_size=1):
        dataset.update(ann_file=file.name, data_prefix=dict(img=''))
        dataset.pop('bbox_file', None)
    for evaluator in (config.val_evaluator, config.test_evaluator):
        if 'ann_file' in evaluator:
            evaluator['ann_file'] = str(file)
    runner, scalars = trained_scalars(config)
    encoder = runner.train_dataloader.dataset.pipeline.transforms[-2].encoder
    assert type(encoder) is type(runner.model.head.decoder)
    assert runner.iter >= 2  # two hands a person
    assert 0 < scalars['train/loss'] < np.inf
    assert [key for key in scalars if key.startswith('val/')]


def test_codec_needs_a_pipeline_with_targets():
    with pytest.raises(ValueError):
        with_codec([dict(type='LoadImage')], dict(type='HourglassHeatmap'))
