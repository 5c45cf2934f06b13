"""Importing the detectors, in interpreters of their own."""
import importlib.util

import pytest
from fresh_interpreter import run_python


def test_missing_or_broken_mmdet_is_an_import_error():
    kinds, _ = run_python(
        '''
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

def error():
    try:
        import hourglass_plugin.detectors
    except Exception as error:
        return type(error).__name__

import hourglass_plugin
sys.modules['mmdet'] = None
missing = error()
# Installed, but its parts are not.
half = sys.modules['mmdet'] = ModuleType('mmdet')
half.__spec__ = ModuleSpec('mmdet', None, is_package=True)
half.__path__ = []
result = [missing, error()]
''', hide=['mmpose', 'mmcv._ext'])
    assert kinds == ['ModuleNotFoundError', 'ImportError']


@pytest.mark.skipif(
    importlib.util.find_spec('mmdet') is None,
    reason='mmdet is not installed; requirements/mminstall.txt lists it')
def test_mmdets_own_entries_stay_and_mmcv_lite_is_enough():
    (modules, kinds), _ = run_python(
        '''
import sys
import hourglass_plugin.detectors
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
import mmdet.models

def error(head):
    init_default_scope('mmdet')
    try:
        MODELS.build(dict(
            type='HourglassCornerNet',
            backbone=dict(type='StackedHourglass', num_stacks=1,
                          feat_channels=8),
            bbox_head=dict(type=head, num_classes=2, in_channels=8,
                           num_feat_levels=1)))
    except Exception as error:
        return type(error).__name__

sys.modules['mmcv._ext'] = None  # missing again, where it is installed
result = [[MODELS.get(name).__module__.split('.')[0] for name in (
    'CornerNet', 'CenterNet', 'HourglassCornerNet', 'HourglassCenterNet',
    'StackedCenterNetHead')], [error('CornerHead'), error('CentripetalHead')]]
''', hide=['mmpose', 'mmcv._ext'])
    assert modules == ['mmdet'] * 2 + ['hourglass_plugin'] * 3
    assert kinds == [None, 'ModuleNotFoundError']
