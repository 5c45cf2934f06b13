"""Importing the detectors, in interpreters of their own."""
import importlib.util

import pytest
from fresh_interpreter import run_python

TRY = '''
import sys

def error_of(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)

def import_detectors():
    import hourglass_plugin.detectors
'''


def test_missing_or_broken_mmdet_is_an_import_error():
    (missing, broken), _ = run_python(
        f'''{TRY}
import hourglass_plugin
sys.modules['mmdet'] = None
missing = error_of(import_detectors)
# Installed, but its parts are not.
from types import ModuleType
from importlib.machinery import ModuleSpec
half = sys.modules['mmdet'] = ModuleType('mmdet')
half.__spec__ = ModuleSpec('mmdet', None, is_package=True)
half.__path__ = []
result = [missing, error_of(import_detectors)]
''',
        hide=['mmpose', 'mmcv._ext'])
    assert missing[0] == 'ModuleNotFoundError'
    assert broken[0] == 'ImportError'
    assert all('mminstall.txt' in message for _, message in (missing, broken))


@pytest.mark.skipif(
    importlib.util.find_spec('mmdet') is None,
    reason='mmdet is not installed; requirements/mminstall.txt lists it')
def test_mmdets_own_entries_stay_and_mmcv_lite_is_enough():
    result, _ = run_python(
        f'''{TRY}
import hourglass_plugin.detectors
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
import mmdet.models

def build(head):
    init_default_scope('mmdet')
    return MODELS.build(dict(
        type='HourglassCornerNet',
        backbone=dict(type='StackedHourglass', num_stacks=1, feat_channels=8),
        bbox_head=dict(type=head, num_classes=2, in_channels=8,
                       num_feat_levels=1)))

sys.modules['mmcv._ext'] = None  # missing again, where it is installed
result = dict(
    types={{name: MODELS.get(name).__module__ for name in (
        'CornerNet', 'HourglassCornerNet', 'CenterNet', 'HourglassCenterNet',
        'StackedCenterNetHead')}},
    corner=error_of(build, 'CornerHead'),
    centripetal=error_of(build, 'CentripetalHead'))
''',
        hide=['mmpose', 'mmcv._ext'])
    for name, module in result['types'].items():
        ours = name not in ('CornerNet', 'CenterNet')
        assert module.startswith('hourglass_plugin.' if ours else 'mmdet.')
    assert result['corner'] is None
    kind, message = result['centripetal']
    assert kind == 'ModuleNotFoundError' and 'full mmcv' in message
