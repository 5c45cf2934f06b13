"""The file of weights that comes with the package, and its card."""
import hashlib
import pickletools
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.inference.predictor import (
    build_pose_model,
    predict_poses,
    whole_image,
)
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.resources import config_path
from hourglass_plugin.transforms.image_io import UnreadableImageError
from hourglass_plugin.weights import shipped_weights

CONFIG, FILE = shipped_weights()
CARD = Path(FILE).with_name('README.md').read_text('utf-8')


def test_file_is_small_and_the_cards():
    content = Path(FILE).read_bytes()
    assert len(content) <= 15e6
    assert f'SHA-256: `{hashlib.sha256(content).hexdigest()}`' in CARD
    megabytes = f'{len(content) / 1e6:.1f} MB'
    assert megabytes in CARD and Path(FILE).name in CARD


def test_no_code_is_named_but_what_builds_tensors():
    # Without torch's loader, whose allow-list others extend.
    with zipfile.ZipFile(FILE) as archive:
        pickle, = (name for name in archive.namelist()
                   if name.endswith('data.pkl'))
        operations = list(pickletools.genops(archive.read(pickle)))
    assert {
        argument
        for code, argument, _ in operations if 'GLOBAL' in code.name
    } <= {
        'collections OrderedDict', 'torch HalfStorage', 'torch LongStorage',
        'torch._utils _rebuild_tensor_v2'
    }


def test_meta_names_config_and_data():
    content = torch.load(FILE, weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    meta = content['meta']
    assert set(meta) == {'config', 'data', 'hourglass_plugin_version'}
    assert config_path(meta['config']) == CONFIG
    assert f'configs/{meta["config"]}' in CARD and meta['data'] in CARD


def test_weights_are_half_precision_and_those_of_the_config():
    checkpoint = read_checkpoint(FILE)
    assert {
        tensor.dtype
        for name, tensor in checkpoint['state_dict'].items()
        if 'num_batches_tracked' not in name
    } == {torch.float16}
    model = build_pose_model(load_config(CONFIG), checkpoint, FILE, 'cpu')
    number = sum(weight.numel() for weight in model.parameters())
    assert f'{number:,} parameters' in CARD
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            assert tensor.dtype == torch.float32
            torch.testing.assert_close(
                tensor, checkpoint['state_dict'][name].float(), rtol=0, atol=0)


def test_a_box_that_cannot_be_cropped_names_its_image():
    model = build_pose_model(
        load_config(CONFIG), read_checkpoint(FILE), FILE, 'cpu')
    image = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(UnreadableImageError) as raised:
        predict_poses(model, [image, image],
                      [whole_image(image), np.zeros((1, 4))],
                      ['a.jpg', 'b.jpg'])
    assert raised.value.path == 'b.jpg'


def test_card_and_model_index_have_one_score():
    index = yaml.safe_load(
        Path(CONFIG).with_name('metafile.yml').read_text('utf-8'))
    model, = (model for model in index['Models']
              if model['Config'].endswith(Path(CONFIG).name))
    if 'Results' not in model:
        pytest.skip('the model index has no score yet')
    result, = model['Results']
    for name, value in result['Metrics'].items():
        row = re.search(rf'^\| {re.escape(name)} \|.*$', CARD, re.MULTILINE)
        assert row[0].rstrip(' |').endswith(f' {value}')
