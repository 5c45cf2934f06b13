"""The model index lists each config once, with the sizes of its network."""
import functools
import json
import re
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[2]
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text('utf-8'))
METAFILES = [yaml.safe_load((ROOT / name).read_text('utf-8'))
             for name in INDEX['Import']]
LISTED = [model for file in METAFILES for model in file['Models']]
COLLECTIONS = [collection for file in METAFILES
               for collection in file.get('Collections', [])]
#: Configs of no model: your own keypoints, another style of a listed one.
LEFT_OUT = {
    'td-hm_hg2_1xb16-100e_custom-256x256.py',
    'td-hm_hg1-w128-readbase_1xb16-12e_lspet-128x128.py'
}


def test_every_config_is_listed_once_in_its_folder():
    configs = {path for path in (ROOT / 'configs').rglob('*.py')
               if '_base_' not in path.parts and path.name not in LEFT_OUT}
    assert sorted(ROOT / model['Config'] for model in LISTED) == sorted(
        configs)
    assert {ROOT / name for name in INDEX['Import']} == {
        path.with_name('metafile.yml') for path in configs}


def test_collections_have_a_paper_and_a_page():
    names = [collection['Name'] for collection in COLLECTIONS]
    assert len(set(names)) == len(names)
    assert {model['In Collection'] for model in LISTED} == set(names)
    for collection in COLLECTIONS:
        assert re.fullmatch(r'https://arxiv\.org/abs/\d{4}\.\d{5}',
                            collection['Paper']['URL'])
        assert (ROOT / collection['README']).is_file()


def test_names_and_results_of_models():
    for model in LISTED:
        # mim asks for them in lower case and makes files of them.
        assert model['Name'] == Path(model['Config']).stem.lower()
        for result in model.get('Results', []):
            assert result['Dataset'] == model['Metadata']['Training Data']
            assert all(0 < value < 100
                       for value in result['Metrics'].values())


@functools.cache
def count(scope, backbone, head, width, height):
    """Parameters and, with a width, multiply-adds; once for each network."""
    init_default_scope(scope)
    with torch.device('meta'):  # shapes only
        backbone = MODELS.build(json.loads(backbone))
    head = MODELS.build(json.loads(head)).to('meta')
    init_default_scope('mmpose')
    parameters = sum(weight.numel() for part in (backbone, head)
                     for weight in part.parameters())
    if width is None:
        return parameters, None
    backbone.eval()
    head.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        head(backbone(torch.empty(1, 3, height, width, device='meta')))
    # The counter counts a multiply-add as two operations, OpenMMLab as one.
    return parameters, counter.get_total_flops() / 2


def head_and_size(config):
    """The head's config, and width and height of its training images."""
    if 'head' in config.model:
        return config.model.head, config.codec.input_size
    head = config.model.bbox_head
    if head.type == 'CentripetalHead':  # its operator runs only when compiled
        return head, (None, None)
    return head, next(step.crop_size for step in config.train_pipeline
                      if step.type == 'RandomCenterCropPad')


@pytest.mark.parametrize('model', LISTED, ids=lambda model: model['Name'])
def test_sizes_are_those_of_the_network(model):
    config = Config.fromfile(str(ROOT / model['Config']))
    metadata = model['Metadata']
    head, size = head_and_size(config)
    assert (metadata['Parameters'], metadata.get('FLOPs')) == count(
        config.default_scope, json.dumps(config.model.backbone),
        json.dumps(head), *size)
