"""Every config builds its model, data sets and schedule, and trains a step."""
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from scipy.io import savemat

from hourglass_plugin.skeletons import SKELETONS

ROOT = Path(__file__).resolve().parents[2] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py')
    if '_base_' not in path.parts)


def write_people(folder, skeleton, count=4):
    """A data set in MPII's files: noise, with joints anywhere."""
    rng = np.random.default_rng(0)
    images = folder / 'images'
    images.mkdir()
    people = []
    for index in range(count):
        cv2.imwrite(
            str(images / f'{index}.jpg'),
            rng.integers(0, 255, (120, 160, 3), np.uint8))
        people.append(
            dict(
                image=f'{index}.jpg',
                center=[80, 60],
                scale=0.5,
                joints=rng.uniform(
                    10, 110, (skeleton.num_keypoints, 2)).tolist(),
                joints_vis=[1] * skeleton.num_keypoints))
    (folder / 'people.json').write_text(json.dumps(people))
    savemat(
        folder / 'heads.mat',
        dict(
            headboxes_src=np.tile(
                np.array([[10., 10], [40, 50]])[:, :, None], count),
            pos_gt_src=np.moveaxis(
                np.array([person['joints'] for person in people]), 0, 2),
            jnt_missing=np.zeros((skeleton.num_keypoints, count))))


def load(name, folder):
    """The config with its data sets replaced by a small one."""
    config = Config.fromfile(str(ROOT / name))
    skeleton = SKELETONS[config.train_dataloader.dataset.type.replace(
        'Dataset', '').lower()]
    write_people(folder, skeleton)
    for phase in ('train', 'val', 'test'):
        loader = config[f'{phase}_dataloader']
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        loader.dataset.update(
            data_root=str(folder),
            ann_file='people.json',
            data_prefix=dict(img='images'))
        if 'headbox_file' in loader.dataset:
            loader.dataset.headbox_file = 'heads.mat'
    config.work_dir = str(folder / 'work')
    config.experiment_name = f'{Path(name).stem}_{folder.name}'
    return config


def test_there_are_configs():
    assert 'lsp/hg1_128x128.py' in CONFIGS
    assert 'synthetic/hg1_quick.py' in CONFIGS


@pytest.mark.parametrize('name', CONFIGS)
def test_config_trains_and_evaluates_one_epoch(name, tmp_path):
    config = load(name, tmp_path)
    epochs = config.train_cfg.max_epochs
    assert epochs % config.train_cfg.val_interval == 0, (
        'the last epoch is evaluated')
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.default_hooks.logger.interval = 1
    runner = Runner.from_cfg(config)
    before = {
        key: value.clone()
        for key, value in runner.model.state_dict().items()
    }
    runner.train()
    changed = [
        key for key, value in runner.model.state_dict().items()
        if not value.equal(before[key])
    ]
    assert changed == list(before), 'every weight and statistic has moved'
    scalars = runner.message_hub.log_scalars
    assert np.isfinite(scalars['train/loss'].current())
    promised = config.get('expected_results', {})
    evaluated = {
        key[len('val/'):]
        for key in scalars if key.startswith('val/')
    }
    assert evaluated and set(promised) <= evaluated
