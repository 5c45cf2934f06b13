"""Every config builds its model, data sets and schedule, and trains a step."""
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS
from pose_configs import CONFIGS as ROOT
from pose_configs import TOP_DOWN
from scipy.io import savemat

from hourglass_plugin.models.stacked_hourglass import SIZES
from hourglass_plugin.skeletons import SKELETONS

# test_own_keypoints_page.py follows custom_dataset' page with data of its own.
CONFIGS = [
    str(path.relative_to(ROOT)) for path in TOP_DOWN
    if path.parent.name != 'custom_dataset'
]


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
                joints_vis=[1] * skeleton.num_keypoints,
                head_size=30.0))
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
    config.default_hooks.checkpoint.update(interval=-1, save_best=None)
    config.work_dir = str(folder / 'work')
    config.experiment_name = f'{Path(name).stem}_{folder.name}'
    return config


def test_there_are_configs():
    sizes = [f'mpii/hg{stacks}_256x256' for stacks in (1, 2, 4, 8)]
    expected = {f'{size}{recipe}.py' for size in sizes
                for recipe in ('', '_adamw')} | {
        'body_2d_keypoint/topdown_heatmap/flic/td-hm_hg2_1xb6-220e_flic-256x256.py', 'body_2d_keypoint/topdown_heatmap/flic/td-hm_hg8_1xb6-220e_flic-256x256.py', 'body_2d_keypoint/topdown_heatmap/lspet/td-hm_hg1-w128_1xb16-12e_lspet-128x128.py',
        'body_2d_keypoint/topdown_heatmap/lsp/td-hm_hg2-adamw_1xb32-100e_lsp-256x256.py', 'body_2d_keypoint/topdown_heatmap/synthetic/td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py'
    }  # yapf: disable
    assert expected <= set(CONFIGS)


def narrow(model):
    """A sixteenth of the width: the same layers, quick on any machine."""
    if model.backbone.type == 'StackedHourglass':
        model.backbone.feat_channels = 16
        if 'in_channels' in model.head:
            model.head.in_channels = 16


@pytest.mark.parametrize('name', CONFIGS)
def test_config_trains_and_evaluates_one_epoch(name, tmp_path):
    config = load(name, tmp_path)
    narrow(config.model)
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
    unchanged = {
        key
        for key, value in runner.model.state_dict().items()
        if value.equal(before[key])
    }
    # A norm subtracts the mean, and with it the bias of the convolution
    # before it: its gradient is zero but for rounding.
    assert not {
        key
        for key in unchanged if not re.search(r'\.conv[12]?\.bias$', key)
    }, 'every weight and statistic has moved'
    scalars = runner.message_hub.log_scalars
    assert np.isfinite(scalars['train/loss'].current())
    promised = config.get('expected_results', {})
    evaluated = {
        key[len('val/'):]
        for key in scalars if key.startswith('val/')
    }
    assert evaluated and set(promised) <= evaluated


@pytest.mark.parametrize('name,size', [
    *((f'mpii/{size}_256x256{recipe}.py', size)
      for size in ('hg1', 'hg2', 'hg4', 'hg8') for recipe in ('', '_adamw')),
    *((f'ablations/{size}_256x256.py', size)
      for size in ('hg1x8', 'hg2x4', 'hg4x2')),
    ('body_2d_keypoint/topdown_heatmap/mpii_ablations/td-hm_hg8x1_1xb6-220e_mpii-256x256.py', 'hg8'),
    ('body_2d_keypoint/topdown_heatmap/mpii_ablations/td-hm_hg8-last-loss_1xb6-220e_mpii-256x256.py', 'hg8'),
    ('body_2d_keypoint/topdown_heatmap/mpii_ablations/td-hm_hg8-halfway_1xb6-220e_mpii-256x256.py', 'hg8'),
])
def test_networks_have_the_papers_weights(name, size):
    init_default_scope('mmpose')
    model = MODELS.build(Config.fromfile(str(ROOT / name)).model)
    count = sum(weight.numel() for weight in model.parameters())
    assert count == SIZES[size].num_weights


def test_ablations_change_what_they_say():
    init_default_scope('mmpose')

    def model(name):
        return MODELS.build(
            Config.fromfile(str(ROOT / f'ablations/{name}_256x256.py')).model)

    final = {name for name, _ in model('hg8x1').named_parameters()}
    silent = {name for name, _ in model('hg8_no_feedback').named_parameters()}
    assert {name.split('.')[3] for name in final - silent} == {
        'heatmaps', 'merge_heatmaps'
    }
    assert {name.split('.')[0] for name in silent - final} == {'head'}
    plain = {name for name, _ in model('hg1x8').named_parameters()}
    inner = {
        name
        for name, _ in model('hg1x8_inner_losses').named_parameters()
    }
    assert plain < inner
    assert {name.split('.')[3] for name in inner - plain} == {
        'inner_heatmaps'
    }


def test_the_papers_rate_falls_to_a_fifth_when_accuracy_stays():
    init_default_scope('mmpose')
    config = Config.fromfile(str(ROOT / 'body_2d_keypoint/topdown_heatmap/mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py'))
    weight = torch.nn.Linear(1, 1)
    optimizer = torch.optim.RMSprop(weight.parameters(), lr=2.5e-4)
    scheduler = PARAM_SCHEDULERS.build(
        dict(config.param_scheduler[0], optimizer=optimizer))
    rates = []
    # Better for three epochs, then the same for ten.
    for accuracy in [70.0, 71.0, 72.0] + [72.0] * 10:
        optimizer.step()
        scheduler.step({'mpii/PCKh@0.5': accuracy})
        rates.append(optimizer.param_groups[0]['lr'])
    assert rates[:11] == [2.5e-4] * 11  # 8 epochs of patience
    assert rates[11:] == pytest.approx([5e-5] * 2)
