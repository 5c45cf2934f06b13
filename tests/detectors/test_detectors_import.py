"""What importing the detectors needs, in interpreters of their own."""
import importlib.util

import pytest
from fresh_interpreter import run_python

TRY = '''
import sys

def error_of(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

def import_detectors():
    import hourglass_plugin.detectors
'''


def test_without_mmdet_one_line_says_what_to_install():
    (before, missing, broken, shape), log = run_python(
        f'''{TRY}
del sys.modules['mmdet']
import hourglass_plugin
before = 'mmdet' in sys.modules
sys.modules['mmdet'] = None
missing = error_of(import_detectors)
import torch
from mmengine.registry import MODELS
network = MODELS.build(dict(type='StackedHourglass', num_stacks=1,
                            feat_channels=8))
shape = list(network.eval()(torch.rand(1, 3, 64, 64))[0].shape)
# Installed, but what it is made of is not.
from types import ModuleType
from importlib.machinery import ModuleSpec
half = sys.modules['mmdet'] = ModuleType('mmdet')
half.__spec__ = ModuleSpec('mmdet', None, is_package=True)
half.__path__ = []
broken = error_of(import_detectors)
result = [before, missing, broken, shape]
''',
        hide=['mmpose', 'mmdet', 'mmcv._ext'])
    assert before is False
    assert missing == (
        'ModuleNotFoundError: hourglass_plugin.detectors needs MMDetection: '
        'install requirements/mminstall.txt with --no-deps and '
        'requirements/runtime.txt')
    assert broken == (
        'ImportError: MMDetection is installed but does not import '
        "(ModuleNotFoundError: No module named 'mmdet.models'); "
        'requirements/mminstall.txt and requirements/runtime.txt list the '
        'versions that fit together')
    assert shape == [1, 8, 16, 16]
    # Nothing is announced before mmdet is asked for.
    assert len([line for line in log.splitlines() if line]) == 1


@pytest.mark.skipif(
    importlib.util.find_spec('mmdet') is None,
    reason='mmdet is not installed; requirements/mminstall.txt lists it')
def test_with_mmcv_lite_and_without_mmpose():
    result, log = run_python(
        f'''{TRY}
import hourglass_plugin.detectors
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
import mmdet.models, torch
from mmcv.ops import DeformConv2d

def build(head):
    init_default_scope('mmdet')
    return MODELS.build(dict(
        type='HourglassCornerNet',
        backbone=dict(type='StackedHourglass', num_stacks=1, feat_channels=8),
        bbox_head=dict(type=head, num_classes=2, in_channels=8,
                       num_feat_levels=1)))

image = torch.rand(1, 8, 4, 4)
left = bool(sys.modules.get('mmcv._ext'))
sys.modules['mmcv._ext'] = None  # missing again, where it is installed
result = dict(
    types=[MODELS.get(name).__module__ for name in (
        'CornerNet', 'HourglassCornerNet', 'CenterNet', 'HourglassCenterNet',
        'StackedCenterNetHead')],
    left=left,
    corner=error_of(build, 'CornerHead'),
    centripetal=error_of(build, 'CentripetalHead'),
    operator=error_of(DeformConv2d(8, 8, 1), image, image[:, :2]))
''',
        hide=['mmpose', 'mmcv._ext'])
    package = 'hourglass_plugin.detectors'
    assert result['types'] == [f'{package}.cornernet'] * 2 + [
        f'{package}.centernet'
    ] * 3
    assert not result['left']
    assert result['corner'] is None
    assert result['centripetal'] == (
        "ModuleNotFoundError: CentripetalHead needs mmcv's compiled "
        'deformable convolution, in training, too: install the full mmcv in '
        'place of mmcv-lite')
    assert result['operator'].startswith('ImportError')
    assert 'install the full mmcv in place of mmcv-lite' in result['operator']
    lines = [line for line in log.splitlines() if 'hourglass_plugin: ' in line]
    assert len(lines) == 1 and 'mmcv._ext' in lines[0]
