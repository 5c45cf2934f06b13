"""docs/bad_input.md: its messages, its switch and its numbers."""
import re

import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from page import ROOT, page_text

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.datasets.corrupt_images import MAX_REPLACEMENTS

PAGE = page_text('docs/bad_input.md')


def test_config_is_refused_in_the_pages_words():
    init_default_scope('mmpose')
    codec = dict(
        type='HourglassHeatmap', input_size=(384, 384), heatmap_size=(64, 64))
    with pytest.raises(ValueError, match='heatmap_size') as raised:
        MODELS.build(
            dict(
                type='HourglassPoseEstimator',
                backbone=dict(
                    type='StackedHourglass',
                    num_stacks=1,
                    feat_channels=8,
                    num_keypoints=16),
                head=dict(
                    type='MultiStageHeatmapHead',
                    out_channels=16,
                    decoder=codec)))
    assert f'\n    {raised.value}\n' in PAGE


def test_the_switch_is_the_data_sets():
    option, = re.findall(r'(?<=--cfg-options )\S+', PAGE)
    config = load_config(str(ROOT / 'configs/body_2d_keypoint/topdown_heatmap/mpii/td-hm_hg2_1xb6-220e_mpii-256x256.py'), [option])
    assert config.train_dataloader.dataset.skip_corrupt is True


def test_in_a_row():
    assert MAX_REPLACEMENTS == 20
    assert 'Twenty in a row' in PAGE
