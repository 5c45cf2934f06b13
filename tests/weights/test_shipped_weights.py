"""The file of weights that comes with the package, and its card."""
import hashlib
import re
from pathlib import Path

import torch
import yaml

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.inference.pose_model import build_pose_model
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.resources import config_path
from hourglass_plugin.weights import shipped_weights

CONFIG, FILE = shipped_weights()
CARD = Path(FILE).with_name('README.md').read_text('utf-8')


def test_file_and_meta_are_the_cards():
    data = Path(FILE).read_bytes()
    assert len(data) <= 8e6
    assert f'`{hashlib.sha256(data).hexdigest()}`' in CARD
    assert f'{len(data) / 1e6:.1f} MB' in CARD and Path(FILE).name in CARD
    content = torch.load(FILE, weights_only=True)
    assert set(content) == {'meta', 'person_judge', 'state_dict'}
    meta = content['meta']
    assert set(meta) == {'config', 'data', 'hourglass_plugin_version'}
    assert config_path(meta['config']) == CONFIG
    assert meta['config'] in CARD and meta['data'] in CARD


def test_weights_are_half_precision_and_those_of_the_config():
    checkpoint = read_checkpoint(FILE)
    model = build_pose_model(load_config(CONFIG), checkpoint, FILE, 'cpu')
    number = sum(weight.numel() for weight in model.parameters())
    assert f'{number:,} parameters' in CARD
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            half = checkpoint['state_dict'][name]
            assert half.dtype == torch.float16
            assert torch.equal(tensor, half.float())


def test_card_and_model_index_have_one_score():
    index = yaml.safe_load(
        Path(CONFIG).with_name('metafile.yml').read_text('utf-8'))
    (model, ) = (model for model in index['Models']
                 if model['Config'].endswith(Path(CONFIG).name))
    for name, value in model['Results'][0]['Metrics'].items():
        row = re.search(rf'^\| {re.escape(name)} \|.*$', CARD, re.MULTILINE)
        assert row[0].rstrip(' |').endswith(f' {value}')
