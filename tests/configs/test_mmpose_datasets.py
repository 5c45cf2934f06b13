"""Configs on MMPose's datasets train and evaluate on small samples."""
import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS
from pose_configs import OF_MMPOSE

from hourglass_plugin import with_codec

#: What COCO-WholeBody calls a part of a person.
PARTS = dict(
    CocoWholeBodyHandDataset=('lefthand', 'righthand'),
    CocoWholeBodyFaceDataset=('face', ))


def write_annotations(folder, dataset):
    """Two images of noise with one object each, as the dataset's file."""
    rng = np.random.default_rng(0)
    metainfo = parse_pose_metainfo(DATASETS.get(dataset.type).METAINFO)
    count = metainfo['num_keypoints']
    images, annotations = [], []
    for index in (1, 2):
        pixels = rng.integers(0, 255, (120, 160, 3), np.uint8)
        cv2.imwrite(str(folder / f'{index}.png'), pixels)
        images.append(
            dict(id=index, file_name=f'{index}.png', width=160, height=120))
        joints = np.column_stack(
            [rng.uniform(20, 110, (count, 2)), np.full(count, 2)])
        box = [15.0, 15.0, 100.0, 100.0]
        person = dict(
            id=index, image_id=index, category_id=1, iscrowd=0, bbox=box,
            area=1e4, num_keypoints=count, center=[65.0, 65.0], scale=0.5,
            segmentation=[],
            keypoints=joints.ravel().tolist())
        for part in PARTS.get(dataset.type, ()):
            person.update({
                f'{part}_valid': True,
                f'{part}_box': box,
                f'{part}_kpts': person['keypoints']
            })
        annotations.append(person)
    names = [
        metainfo['keypoint_id2name'][index] for index in range(count)]
    (folder / 'people.json').write_text(
        json.dumps(
            dict(
                images=images,
                annotations=annotations,
                categories=[
                    dict(id=1, name='person', keypoints=names, skeleton=[])
                ])))


@pytest.mark.parametrize('path', OF_MMPOSE, ids=lambda path: path.name)
def test_config_trains_two_steps_and_evaluates(path, tmp_path):
    config = Config.fromfile(str(path))
    init_default_scope('mmpose')
    write_annotations(tmp_path, config.train_dataloader.dataset)
    for phase in ('train', 'val', 'test'):
        loader = config[f'{phase}_dataloader']
        loader.update(batch_size=1, num_workers=0, persistent_workers=False)
        loader.dataset.update(
            data_root=str(tmp_path), ann_file='people.json',
            data_prefix=dict(img=''))
        loader.dataset.pop('bbox_file', None)
        evaluator = config[f'{phase}_evaluator'] if phase != 'train' else {}
        if 'ann_file' in evaluator:
            evaluator['ann_file'] = str(tmp_path / 'people.json')
    # A sixteenth of the width: the same layers, quick on any machine.
    config.model.backbone.feat_channels = 16
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.default_hooks.checkpoint.update(interval=-1, save_best=None)
    config.work_dir = str(tmp_path / 'work')
    runner = Runner.from_cfg(config)
    encoder = runner.train_dataloader.dataset.pipeline.transforms[-2].encoder
    assert type(encoder) is type(runner.model.head.decoder)
    runner.train()
    scalars = runner.message_hub.log_scalars
    assert runner.iter >= 2  # two hands a person
    assert 0 < scalars['train/loss'].current() < np.inf
    assert [key for key in scalars if key.startswith('val/')]


def test_codec_needs_a_pipeline_with_targets():
    with pytest.raises(ValueError):
        with_codec([dict(type='LoadImage')], dict(type='HourglassHeatmap'))
