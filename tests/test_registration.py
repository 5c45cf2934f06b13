"""What importing the package registers, in interpreters of its own."""
import pytest
from fresh_interpreter import run_python

# As a runner does with a config that has default_scope='mmpose'.
BUILD = '''
from mmengine.registry import MODELS as ROOT_MODELS, init_default_scope
init_default_scope('mmpose')
from mmpose.registry import KEYPOINT_CODECS, METRICS, MODELS
codec = dict(type='MPIIHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
model = MODELS.build(dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(type='StackedHourglass', num_stacks=1, feat_channels=8,
                  num_keypoints=16),
    head=dict(type='MultiStageHeatmapHead', out_channels=16, decoder=codec)))
KEYPOINT_CODECS.build(codec)
METRICS.build(dict(type='PCKhMetric'))
result = [type(model.backbone).__module__,
          ROOT_MODELS.get('StackedHourglass') is type(model.backbone)]
'''
BUILT = ['hourglass_plugin.models.stacked_hourglass', True]


@pytest.mark.parametrize(
    'imports',
    [
        'import hourglass_plugin, mmpose.models',
        'import mmpose, mmpose.codecs, mmpose.engine, hourglass_plugin',
        # Without xtcocotools or mmcv's operators this import fails, and
        # leaves half of MMPose behind.
        'try: import mmpose.models\nexcept Exception: print()\n'
        'import hourglass_plugin',
    ],
    ids=['plugin first', 'MMPose first', 'MMPose failed first'])
def test_import_order_does_not_matter(imports):
    assert run_python(f'{imports}\n{BUILD}')[0] == BUILT


def test_custom_imports_of_a_config_are_enough(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text("default_scope = 'mmpose'\n"
                      "custom_imports = dict(imports=['hourglass_plugin'])\n")
    code = ('from mmengine.config import Config\n'
            f'Config.fromfile({str(config)!r})\n')
    assert run_python(code + BUILD)[0] == BUILT


def test_network_needs_torch_and_mmengine_only():
    (module, registered, others), log = run_python(
        '''
from hourglass_plugin.models import StackedHourglass
from mmengine.registry import MODELS
import hourglass_plugin, sys
result = [MODELS.get('StackedHourglass').__module__,
          MODELS.get('StackedHourglass') is StackedHourglass,
          sorted(name for name, module in sys.modules.items()
                 if module and name.split('.')[0] in
                 ('mmpose', 'mmcv', 'mmdet', 'pycocotools'))]
''',
        hide=['mmpose', 'mmcv', 'mmdet', 'pycocotools'])
    assert module == 'hourglass_plugin.models.stacked_hourglass'
    assert registered
    assert others == []
    assert log == ''  # nothing is missing that the network needs


def test_missing_mmengine_is_named():
    message, _ = run_python(
        '''
try:
    import hourglass_plugin
except ImportError as error:
    result = str(error)
''',
        hide=['mmengine'])
    assert message.startswith('hourglass_plugin needs mmengine')
    assert 'requirements/mminstall.txt' in message


def test_mmpose_that_does_not_import_is_one_clear_error():
    message, _ = run_python(
        '''
try:
    import hourglass_plugin
except ImportError as error:
    result = str(error)
''',
        hide=['mmdet'])
    assert message.startswith('MMPose is installed but does not import')
    assert 'mmdet' in message
    assert 'requirements/mminstall.txt' in message
