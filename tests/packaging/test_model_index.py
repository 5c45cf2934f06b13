"""The model index says what is true of the configs, and of README.md."""
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
METAFILES = [
    yaml.safe_load((ROOT / name).read_text('utf-8'))
    for name in INDEX['Import']
]
MODELS_LISTED = [model for file in METAFILES for model in file['Models']]
COLLECTIONS = [
    collection for file in METAFILES
    for collection in file.get('Collections', [])
]
#: Configs of no model: everybody's own, with their own keypoints.
SYNTHETIC = ('configs/body_2d_keypoint/topdown_heatmap/synthetic/'
             'td-hm_hg1-w128')
LEFT_OUT = {'configs/custom_dataset/td-hm_hg2_1xb16-100e_custom-256x256.py'}


def test_every_config_is_listed_once():
    configs = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'configs').glob('[!_]*/*.py')
    }
    assert LEFT_OUT < configs
    assert sorted(model['Config']
                  for model in MODELS_LISTED) == sorted(configs - LEFT_OUT)
    assert sorted(INDEX['Import']) == sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'configs').glob('*/metafile.yml'))


def test_names_follow_from_paths():
    # mim asks for them in lower case and makes files of them.
    for model in MODELS_LISTED:
        config = Path(model['Config'])
        assert model['Name'] == f'{config.parent.name}_{config.stem}'.lower()
    assert len({model['Name']
                for model in MODELS_LISTED}) == len(MODELS_LISTED)


def test_collections_have_a_paper_and_a_page():
    names = [collection['Name'] for collection in COLLECTIONS]
    assert len(set(names)) == len(names)
    assert {model['In Collection'] for model in MODELS_LISTED} == set(names)
    for collection in COLLECTIONS:
        assert re.fullmatch(r'https://arxiv\.org/abs/\d{4}\.\d{5}',
                            collection['Paper']['URL'])
        assert (ROOT / collection['README']).is_file()


@functools.cache
def count(scope, backbone, head, width, height):
    """Weights and multiply-adds; once for configs that share a network.

    Args:
        scope: the library that has the head.
        backbone: its config as JSON, and the head's.
        width, height: of the image; without them only weights are counted.
    """
    init_default_scope(scope)
    with torch.device('meta'):  # shapes only
        backbone = MODELS.build(json.loads(backbone))
    head = MODELS.build(json.loads(head)).to('meta')
    init_default_scope('mmpose')
    weights = sum(weight.numel() for part in (backbone, head)
                  for weight in part.parameters())
    if width is None:
        return weights, None
    backbone.eval()
    head.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        head(backbone(torch.empty(1, 3, height, width, device='meta')))
    # The counter counts a multiply-add as two operations, OpenMMLab as one.
    return weights, counter.get_total_flops() / 2


def head_and_size(config):
    """The head's config, and width and height of what is trained on."""
    if 'head' in config.model:
        return config.model.head, config.codec.input_size
    head = config.model.bbox_head
    if head.type == 'CentripetalHead':  # its operator runs only when compiled
        return head, (None, None)
    return head, next(step.crop_size for step in config.train_pipeline
                      if step.type == 'RandomCenterCropPad')


@pytest.mark.parametrize(
    'model', MODELS_LISTED, ids=[model['Name'] for model in MODELS_LISTED])
def test_sizes_are_those_of_the_network(model):
    config = Config.fromfile(str(ROOT / model['Config']))
    metadata = model['Metadata']
    head, size = head_and_size(config)
    assert (metadata['Parameters'], metadata.get('FLOPs')) == count(
        config.default_scope, json.dumps(config.model.backbone),
        json.dumps(head), *size)


def readme_tables():
    """README.md's rows of cells, with their table's header."""
    header = None
    for line in (ROOT / 'README.md').read_text('utf-8').splitlines():
        if not line.startswith('|'):
            header = None
            continue
        cells = [cell.strip(' *') for cell in line.strip('|').split('|')]
        if header is None:
            header = cells
        yield dict(zip(header[1:], cells[1:])), cells[0]


def test_results_are_those_of_the_readme():
    published = {}
    for cells, row in readme_tables():
        link = re.search(r'\]\((configs/\S+?\.py)\)', row)
        if link:
            published[link[1]] = {
                name: value
                for name, value in cells.items() if name.startswith('PCK')
            }
        elif row.startswith('quick start'):
            published[f'{SYNTHETIC}_1xb16-4e_synthetic-128x128.py'] = {
                'PCKh@0.5': cells['Mean']
            }
    listed = {}
    for model in MODELS_LISTED:
        for result in model.get('Results', []):
            assert result['Task'] == 'Body 2D Keypoint'
            assert result['Dataset'] == model['Metadata']['Training Data']
            listed[model['Config']] = {
                name: str(value)
                for name, value in result['Metrics'].items()
            }
    assert len(published) == 3
    assert listed == published
