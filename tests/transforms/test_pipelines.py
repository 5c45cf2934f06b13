"""The configs' pipelines, and batches of what they return."""
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS, MODELS
from pose_configs import TOP_DOWN

from hourglass_plugin.resources import config_path
from hourglass_plugin.skeletons import LSP

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


@pytest.fixture
def config(tmp_path):
    """LSP at 128x128, with five people of 30 to 270 pixels in images of
    noise in place of its data."""
    rng = np.random.default_rng(0)
    entries = []
    for number in range(5):
        image = rng.integers(0, 256, (171, 213, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f'{number}.jpg'), image)
        entries.append(
            dict(
                image=f'{number}.jpg',
                center=[100, 80],
                scale=0.15 + 0.3 * number,
                joints=rng.uniform(20, 150, (14, 2)).tolist(),
                joints_vis=[1] * 14))
    (tmp_path / 'a.json').write_text(json.dumps(entries))
    config = Config.fromfile(
        config_path('td-hm_hg1-w128_1xb16-12e_lspet-128x128.py'))
    for phase in ('train', 'val'):
        dataset = config[f'{phase}_dataloader'].dataset
        dataset.update(
            data_root=str(tmp_path),
            ann_file='a.json',
            data_prefix=dict(img=''))
    return config


@pytest.mark.parametrize(
    'path',
    TOP_DOWN,
    ids=lambda path: path.stem)
def test_only_training_reduces_images(path):
    config = Config.fromfile(path)
    reduced = {
        phase: [
            step.get('reduced_decoding', False)
            for step in config[f'{phase}_dataloader'].dataset.pipeline
            if step.type == 'TopdownCrop'
        ]
        for phase in ('train', 'val', 'test')
    }
    assert reduced == dict(train=[True], val=[False], test=[False])


@pytest.mark.parametrize('phase', ['train', 'val'])
def test_stacked_batches_are_what_mmpose_makes_of_lists(config, phase):
    """The same images on the device, and the same samples, but for MMPose's
    ``pad_shape``, which takes the channels for the height. It is read by
    heads for images of different sizes only."""
    dataset = DATASETS.build(config[f'{phase}_dataloader'].dataset)
    people = [dataset[index] for index in range(len(dataset))]
    stacked, listed = default_collate(people), pseudo_collate(people)
    assert stacked['inputs'].dtype == torch.uint8
    assert stacked['inputs'].shape == (5, 3, 128, 128)
    to_batch = MODELS.build(config.model.data_preprocessor)
    images, expected = to_batch(stacked), to_batch(listed)
    assert images['inputs'].dtype == torch.float32
    torch.testing.assert_close(
        images['inputs'], expected['inputs'], rtol=0, atol=0)
    for found, same in zip(images['data_samples'], expected['data_samples']):
        np.testing.assert_array_equal(found.gt_instances.keypoints,
                                      same.gt_instances.keypoints)
        for key in set(same.metainfo) - {'pad_shape'}:
            np.testing.assert_equal(found.get(key), same.get(key))
    assert len(images['data_samples']) == 5


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('phase', ['train', 'val'])
def test_loaders_hand_over_bytes(config, phase, workers):
    """Those to train on as one tensor a batch, the others as a list, whose
    last batch is smaller."""
    loader = config[f'{phase}_dataloader']
    loader.update(
        batch_size=2, num_workers=workers, persistent_workers=workers > 0)
    batches = list(Runner.build_dataloader(loader, seed=0))
    is_stacked = [torch.is_tensor(batch['inputs']) for batch in batches]
    assert is_stacked == [phase == 'train'] * 3
    for batch, count in zip(batches, (2, 2, 1)):
        assert len(batch['inputs']) == len(batch['data_samples']) == count
        for image in batch['inputs']:
            assert (image.shape, image.dtype) == ((3, 128, 128), torch.uint8)


def test_combined_data_sets_are_stacked(config):
    """MMPose's CombinedDataset with a pipeline for all its parts, as MMPose's
    own configs have it."""
    part = dict(config.train_dataloader.dataset, pipeline=[])
    loader = dict(
        config.train_dataloader,
        batch_size=10,
        num_workers=0,
        persistent_workers=False,
        dataset=dict(
            type='CombinedDataset',
            metainfo=LSP.metainfo(),
            datasets=[part, part],
            pipeline=config.train_dataloader.dataset.pipeline))
    (batch, ) = Runner.build_dataloader(loader, seed=0)
    assert batch['inputs'].shape == (10, 3, 128, 128)
    names = [Path(sample.img_path).name for sample in batch['data_samples']]
    assert sorted(names) == sorted([f'{n}.jpg' for n in range(5)] * 2)


def test_crops_do_not_depend_on_the_loaders_processes(config):
    crops = []
    for workers in (0, 2):
        loader = config.train_dataloader.copy()
        loader.update(
            batch_size=5, num_workers=workers, persistent_workers=False)
        (batch, ) = Runner.build_dataloader(loader, seed=1)
        crops.append(batch['inputs'])
    assert (crops[0] == crops[1]).all()
    assert crops[0].float().std() > 10
