"""A checkpoint in half precision: what it holds, and when it is refused."""
import hashlib

import numpy as np
import publish_checkpoint as publishing
import pytest
import torch
from mmengine.config import Config
from publish_checkpoint import TOLERANCE, publish_checkpoint
from torch import nn

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.resources import config_path

HG1 = 'td-hm_hg1-w128_1xb16-12e_lspet-128x128.py'
HEATMAPS = 'backbone.stacks.0.heatmaps.weight'


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'small.py'
    path.write_text(f'_base_ = [{config_path(HG1)!r}]\n'
                    'model = dict(backbone=dict(feat_channels=8))\n')
    return str(path)


@pytest.fixture
def weights():
    """As a training saves them, heatmaps of about 1."""
    torch.manual_seed(0)
    network = StackedHourglass(
        num_stacks=1, feat_channels=8, num_keypoints=14)
    network.stacks[0].heatmaps.weight.data.normal_()
    return nn.ModuleDict(dict(backbone=network)).state_dict()


def publish(config, weights, folder, target='out/small.pth'):
    source, target = folder / 'epoch_1.pth', folder / target
    torch.save(dict(
        state_dict=weights, optimizer=dict(state=[1.0]),
        message_hub=dict(loss=np.ones(3))), source)
    return publish_checkpoint(
        Config.fromfile(config), str(source), str(target),
        'three drawn people'), target


def test_only_rounded_weights_are_written(config, weights, tmp_path):
    done, target = publish(config, weights, tmp_path)
    content = torch.load(target, weights_only=True)
    assert content['meta']['config'] == 'small.py'
    assert content['meta']['data'] == 'three drawn people'
    assert set(content) == {'meta', 'state_dict'}
    assert set(content['state_dict']) == set(weights)
    for name, tensor in content['state_dict'].items():
        expected = weights[name]
        if expected.is_floating_point():
            expected = torch.from_numpy(expected.numpy().astype(np.float16))
        assert torch.equal(tensor, expected)
    written = target.read_bytes()
    assert (done.num_bytes, done.sha256) == (
        len(written), hashlib.sha256(written).hexdigest())
    assert 0 < done.difference <= TOLERANCE
    again, _ = publish(config, weights, target.parent)
    assert again == done  # under another path, too


@pytest.mark.parametrize('value, tolerance', [
    (7e4, TOLERANCE), (float('nan'), TOLERANCE), (1.0, -1)])
def test_what_half_precision_changes_is_refused(value, tolerance, config,
                                                weights, tmp_path,
                                                monkeypatch):
    monkeypatch.setattr(publishing, 'TOLERANCE', tolerance)
    weights[HEATMAPS].fill_(value)
    with pytest.raises(ValueError):
        publish(config, weights, tmp_path)
    assert not (tmp_path / 'out').exists()


def test_other_configs_and_overwritten_inputs_are_refused(
        config, weights, tmp_path):
    for other, target in ((config_path(HG1), 'a.pth'), (config, 'epoch_1.pth'),
                          (config, 'small.py')):
        with pytest.raises(ValueError):
            publish(other, weights, tmp_path, target)
