"""Every pose config builds, trains a step, evaluates, and keeps the rules."""
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS, MODELS
from pose_configs import CONFIGS, TOP_DOWN, make_small, trained_scalars
from pose_files import entry, write_json, write_noise

from hourglass_plugin.resources import config_path

# docs/custom_dataset.md trains custom_dataset's.
# test_people.py trains people's, which has three datasets.
PATHS = [path for path in TOP_DOWN
         if not {'custom_dataset', 'people'} & {*path.parts}]
ALL = [path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts]
#: MMPose's and MMDetection's form of a name: method and network, GPUs x batch,
#: options and epochs, data.
NAME = re.compile(r'(td-hm|cornernet|centernet|centripetalnet)_[a-z0-9-]+'
                  r'_\d+xb(?P<batch>\d+)(-crop511)?-(?P<epochs>\d+)e(-mstest)?'
                  r'_[a-z0-9-]+?(-(?P<width>\d+)x(?P<height>\d+))?\.py')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


def bases(path):
    """Paths of the configs that a config names in ``_base_``."""
    return [Config._get_cfg_path(base, str(path))[0]
            for base in Config._get_base_files(str(path))]


def levels(path):
    """Return the number of ``_base_`` levels below a config."""
    return max((1 + levels(base) for base in bases(path)), default=0)


@pytest.mark.parametrize('path', ALL, ids=lambda path: path.name)
def test_name_is_unique_and_tells_batch_epochs_and_size(path):
    assert [other.name for other in ALL].count(path.name) == 1
    told = {key: int(value) for key, value in
            NAME.fullmatch(path.name).groupdict().items() if value}
    config = Config.fromfile(str(path))
    expected = dict(batch=config.train_dataloader.batch_size,
                    epochs=config.train_cfg.max_epochs)
    if 'codec' in config:
        expected.update(zip(('width', 'height'), config.codec.input_size))
    assert told == expected


def test_configs_are_flat():
    for path in CONFIGS.rglob('*.py'):
        assert levels(path) <= (1 if '_base_' in path.parts else 2), path


def load(name, folder):
    """A config with its datasets replaced by a small one, and narrow."""
    config = Config.fromfile(config_path(name))
    dataset = DATASETS.get(config.train_dataloader.dataset.type)
    skeleton = SimpleNamespace(num_keypoints=len(
        dataset.METAINFO['keypoint_info']))
    people = [entry(skeleton, seed, center=[80, 60], scale=0.5,
                    head_size=30.0) for seed in range(2)]
    write_json(folder / 'people.json', people)
    write_noise(folder / 'images', [person['image'] for person in people])
    # The last epoch is evaluated.
    assert config.train_cfg.max_epochs % config.train_cfg.val_interval == 0
    for dataset in make_small(config, folder):
        dataset.ann_file = 'people.json'
    return config


@pytest.mark.parametrize('name', [path.name for path in PATHS])
def test_every_weight_learns_from_a_batch(name, tmp_path):
    config = load(name, tmp_path)
    model = MODELS.build(config.model).train()
    loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    batch = next(iter(loader))
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    loss, _ = model.parse_losses(losses)
    loss.backward()
    assert 0 < loss < torch.inf
    # A norm subtracts the mean, and so the bias of the convolution before it.
    assert not [
        name for name, weight in model.named_parameters()
        if not re.search(r'\.conv[12]?\.bias$', name)
        and (weight.grad is None or not weight.grad.any())]


@pytest.mark.parametrize(
    'name', [path.name for path in PATHS if len(bases(path)) != 1])
def test_recipe_trains_and_evaluates_an_epoch(name, tmp_path):
    """The configs that others only vary."""
    config = load(name, tmp_path)
    _, scalars = trained_scalars(config)
    assert np.isfinite(scalars['train/loss'])
    evaluated = {key[4:] for key in scalars if key.startswith('val/')}
    assert evaluated and set(config.get('expected_results', {})) <= evaluated


def test_ablations_change_what_they_say():

    def parts(name):
        path = config_path(f'td-hm_{name}_1xb6-220e_mpii-256x256.py')
        names = MODELS.build(Config.fromfile(path).model).state_dict()
        return {tuple(name.split('.')[:4:3]) for name in names}

    final = parts('hg8x1')
    assert final - parts('hg8-no-feedback') == {
        ('backbone', 'heatmaps'), ('backbone', 'merge_heatmaps')}
    assert parts('hg1x8-inner-losses') - parts('hg1x8') == {
        ('backbone', 'inner_heatmaps')}


def test_the_papers_rate_falls_to_a_fifth_when_accuracy_stays():
    config = Config.fromfile(
        config_path('td-hm_hg8_1xb6-220e_mpii-256x256.py'))
    optimizer = torch.optim.RMSprop(torch.nn.Linear(1, 1).parameters(), 2.5e-4)
    schedule, = config.param_scheduler
    scheduler = PARAM_SCHEDULERS.build(dict(schedule, optimizer=optimizer))
    rates = []
    # Better for three epochs, then the same for ten.
    for accuracy in [70.0, 71.0, 72.0] + [72.0] * 10:
        optimizer.step()
        scheduler.step({'mpii/PCKh@0.5': accuracy})
        rates.append(optimizer.param_groups[0]['lr'])
    assert rates[:11] == [2.5e-4] * 11  # 8 epochs of patience
    assert rates[11:] == pytest.approx([5e-5] * 2)


def test_read_base_config_is_its_twin():
    twin, new = (
        Config.fromfile(
            config_path(f'td-hm_hg1-w128{style}_1xb16-12e_lspet-128x128.py'))
        for style in ('', '-readbase'))
    new.train_cfg.type = 'ResumableTrainLoop'  # a class
    assert new.to_dict() == twin.to_dict()
