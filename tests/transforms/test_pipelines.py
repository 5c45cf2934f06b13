"""The configs' pipelines, and batches of what they return."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
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
