"""The configs' pipelines, and batches of what they return."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.runner import Runner
from mmpose.registry import DATASETS, MODELS
from pose_configs import TOP_DOWN
from pose_files import entry, write_json

from hourglass_plugin.resources import config_path
from hourglass_plugin.skeletons import LSP


@pytest.fixture
def config(tmp_path):
    """LSP at 128x128, with five people of 30 to 270 pixels in images of
    noise in place of its data."""
    rng = np.random.default_rng(0)
    people = [entry(LSP, number, scale=0.15 + 0.3 * number)
              for number in range(5)]
    write_json(tmp_path / 'a.json', people)
    for person in people:
        image = rng.integers(0, 256, (171, 213, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / person['image']), image)
    config = Config.fromfile(
        config_path('td-hm_hg1-w128_1xb16-12e_lspet-128x128.py'))
    for phase in ('train', 'val'):
        config[f'{phase}_dataloader'].dataset.update(
            data_root=str(tmp_path), ann_file='a.json',
            data_prefix=dict(img=''))
    return config


@pytest.mark.parametrize('path', TOP_DOWN, ids=lambda path: path.stem)
def test_only_training_reduces_images(path):
    config = Config.fromfile(path)
    for phase in ('train', 'val', 'test'):
        pipeline = config[f'{phase}_dataloader'].dataset.pipeline
        step, = (step for step in pipeline if step.type == 'TopdownCrop')
        assert step.get('reduced_decoding', False) is (phase == 'train')


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
