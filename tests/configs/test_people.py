"""The package's own config learns from three datasets at once."""
import json

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from pose_files import entry

from hourglass_plugin.resources import config_path
from hourglass_plugin.skeletons import LSP, MPII


def write_sets(folder):
    """Two people in each of MPII's, COCO's and Leeds' files."""
    rng = np.random.default_rng(0)
    (folder / 'images').mkdir()
    for index in range(2):
        pixels = rng.integers(0, 255, (220, 240, 3), np.uint8)
        cv2.imwrite(str(folder / f'images/{index:09d}.jpg'), pixels)
    for skeleton, name in ((MPII, 'mpii_train'), (LSP, 'lspet_train')):
        people = [entry(skeleton, seed, head_size=30.0) for seed in range(2)]
        (folder / f'{name}.json').write_text(json.dumps(people))
    keypoints = np.column_stack(
        [rng.uniform(20, 200, (17, 2)), np.full(17, 2)]).ravel().tolist()
    (folder / 'person_keypoints_train.json').write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=index, file_name=f'{index:09d}.jpg', width=240,
                         height=220) for index in range(2)],
                annotations=[
                    dict(id=index, image_id=index, category_id=1, iscrowd=0,
                         bbox=[10, 10, 200, 200], area=4e4, num_keypoints=17,
                         keypoints=keypoints) for index in range(2)],
                categories=[dict(id=1, name='person')])))


def test_config_trains_and_evaluates(tmp_path):
    config = Config.fromfile(
        config_path('td-hm_hg2-w128_1xb16-7e_people-192x192.py'))
    write_sets(tmp_path)
    init_default_scope('mmpose')
    mpii, coco, lspet = config.train_dataloader.dataset.datasets
    for dataset in (mpii.dataset, coco, lspet, config.val_dataloader.dataset,
                    config.test_dataloader.dataset):
        dataset.data_root = str(tmp_path)
        dataset.pop('headbox_file', None)  # the file has head sizes
    for phase in ('val', 'test'):
        config[f'{phase}_dataloader'].dataset.ann_file = 'mpii_train.json'
    for phase in ('train', 'val', 'test'):
        config[f'{phase}_dataloader'].update(
            batch_size=4, num_workers=0, persistent_workers=False)
    config.model.backbone.update(feat_channels=16, init_cfg=None)
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.default_hooks.checkpoint.update(interval=-1, save_best=None)
    config.default_hooks.logger.interval = 1
    config.work_dir = str(tmp_path / 'work')
    runner = Runner.from_cfg(config)
    dataset = runner.train_dataloader.dataset
    # MPII's people count twice.
    assert len(dataset) == 2 * 2 + 2 + 2
    weights = [
        dataset[index]['data_samples'].gt_instance_labels.keypoint_weights
        for index in range(len(dataset))]
    # COCO has no pelvis, thorax, neck and head; Leeds no pelvis and thorax.
    assert not np.array(weights[4])[0, [6, 7, 8, 9]].any()
    assert not np.array(weights[6])[0, [6, 7]].any()
    runner.train()
    scalars = runner.message_hub.log_scalars
    assert np.isfinite(scalars['train/loss'].current())
    assert 'val/mpii/PCKh@0.5' in scalars
