"""Python, configs and files on the pages: they run, build and are read."""
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmpose.registry import DATASETS
from page import PAGES, follow, page_text, pieces, python_examples

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.resources import config_path

EXAMPLES = [(page, text) for page in PAGES
            for text in python_examples(page_text(page))]
#: Configs of a whole model; parts of configs are tried where they are used.
CONFIGS = [(page, text) for page, text in EXAMPLES
           if 'backbone=dict(' in text]


def run_python(page, part, **names):
    """Run a page's one example that has this part; the names it leaves."""
    (example, ) = [
        text for other, text in EXAMPLES if other == page and part in text]
    exec(compile(example, page, 'exec'), names)
    return names


def test_examples_are_python():
    for page, text in EXAMPLES:
        compile(text, page, 'exec')


@pytest.mark.parametrize('page, text', CONFIGS)
def test_model_of_a_config_is_built(page, text, tmp_path):
    """And every stack gives a map of a quarter of the image's size."""
    path = tmp_path / 'config.py'
    path.write_text(text)
    config = Config.fromfile(str(path))
    init_default_scope(config.get('default_scope', 'mmpose'))
    model = MODELS.build(config.model)
    init_default_scope('mmpose')
    with torch.no_grad():
        maps = model.backbone(torch.rand(1, 3, 64, 128))
    assert len(maps) == len(model.backbone.out_stacks)
    assert {tuple(each.shape[2:]) for each in maps} == {(16, 32)}


@pytest.mark.parametrize('page, part, result, shapes', [
    # Comments have the number and, at 256, a quarter of the size.
    ('README.md', 'from_size', 'heatmaps', [(1, 16, 32, 32)] * 8),
    ('README.md', 'from_size', 'features', [(1, 256, 32, 32)] * 2),
    ('docs/detectors.md', 'ModuleList', 'maps', [(1, 5, 32, 48)] * 2),
    ('docs/speed.md', 'accelerate', 'heatmaps', [(3, 32, 32)]),
])
def test_example_gives_maps(page, part, result, shapes):
    network = StackedHourglass(
        num_stacks=5, num_keypoints=3, feat_channels=16).eval()
    names = run_python(page, part, network=network,
                       images=torch.rand(1, 3, 128, 128))
    assert [tuple(each.shape) for each in names[result]] == shapes


def test_plain_training_script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names = run_python('docs/detectors.md', 'def draw_heatmaps')
    # A joint at pixel (4 x, 4 y) is a peak of 1 in column x and row y.
    drawn = names['draw_heatmaps'](torch.tensor([[[40., 80.]]]))
    assert drawn.shape == (1, 1, 64, 64)
    assert drawn[0, 0, 20, 10] == 1
    assert drawn[0, 0, 20, 11] == pytest.approx(math.exp(-0.5))
    assert names['predicted'].shape == (2, 16, 2)
    network = StackedHourglass.from_size('hg2', num_keypoints=16)
    network.load_state_dict(torch.load('hourglass.pth', weights_only=True))
    with torch.no_grad():
        again = network.eval()(names['images'])[-1]
    assert torch.equal(again, names['heatmaps'])


def test_prediction_in_python_is_the_commands(folder, monkeypatch):
    monkeypatch.chdir(folder)
    follow('python tools/predict.py photo.jpg --out one', folder)
    answer = json.loads(Path('one/predictions.json').read_text())
    (person, ) = answer['predictions'][0]['people']
    (pose, ) = run_python('docs/predict.md', 'PosePredictor')['people']
    np.testing.assert_allclose(  # written with two decimals
        pose.keypoints, np.array(person['keypoints'])[:, :2], atol=0.0051)


def test_log_is_read(trained):
    (log, ) = trained.work_dir.glob('*/vis_data/scalars.json')
    names = run_python('docs/training_curves.md', 'losses', log=log)
    first = json.loads(log.read_text().splitlines()[0])
    assert names['losses'][0] == (first['iter'], first['loss_stack_1'])


def test_annotation_file_is_read(tmp_path):
    init_default_scope('mmpose')
    (example, ) = [
        text for language, text in pieces(page_text('docs/custom_dataset.md'))
        if language == 'json']
    (tmp_path / 'a.json').write_text(example)
    config = Config.fromfile(
        config_path('td-hm_hg2_1xb16-100e_custom-256x256.py'))
    (record, ) = DATASETS.build(dict(
        type='CustomKeypointDataset', metainfo=config.metainfo,
        ann_file=str(tmp_path / 'a.json')))
    assert record['keypoints_visible'].tolist() == [[1, 1, 1, 0]]
