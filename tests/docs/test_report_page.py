"""docs/report.md: its command, and that what it names is on the page."""
import re

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import HOOKS, MODELS
from page import commands, follow, page_text, python_examples, run_python
from stick_figures import write_people

PAGE = page_text('docs/report.md')


@pytest.fixture(scope='module')
def tested(clone):
    """The folder of a reader who has followed the page."""
    (clone / 'data' / 'lspet' / 'images').mkdir(parents=True)
    write_people(clone / 'data' / 'lspet', 'lspet_val', 3,
                 np.random.RandomState(0))
    (clone / 'small.py').write_text("""
_base_ = ['configs/body_2d_keypoint/topdown_heatmap/lspet/td-hm_hg2-w128_1xb16-30e_lspet-128x128.py']
test_dataloader = dict(num_workers=0, persistent_workers=False)
model = dict(backbone=dict(feat_channels=16))
""")
    init_default_scope('mmpose')
    model = MODELS.build(Config.fromfile(clone / 'small.py').model)
    torch.save(dict(state_dict=model.state_dict()), clone / 'small.pth')
    command, = commands(PAGE)
    follow(
        command.replace('CONFIG', 'small.py').replace('CHECKPOINT',
                                                      'small.pth'), clone)
    return clone


def test_what_the_page_names_is_on_the_report(tested):
    report = (tested / 'report' / 'index.html').read_text(encoding='utf-8')
    headings = re.findall(r'<h2>(.*?)</h2>', report)
    assert headings == re.findall(r'^\| ([A-Z][^|]+?) \|', PAGE, re.MULTILINE)


def test_the_hook_of_the_page_can_be_built():
    example, = python_examples(PAGE)
    hook, = run_python(example)['custom_hooks']
    assert HOOKS.build(hook).num_people == 20
