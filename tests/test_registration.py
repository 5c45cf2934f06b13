"""Registration by import, in interpreters of its own."""
import pytest
from fresh_interpreter import (
    WORKING_OPERATORS,
    run_python,
    write_working_modules,
)

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


@pytest.mark.parametrize('imports', [
    'import mmpose, mmpose.codecs, mmpose.engine, hourglass_plugin',
    # Without xtcocotools or mmcv's operators this import fails, and leaves
    # half of MMPose behind.
    'try: import mmpose.models\nexcept Exception: print()\n'
    'import hourglass_plugin',
    # Before MMPose, as a config does.
    'from mmengine.config import Config\n'
    "Config.fromfile('config.py')",
], ids=['MMPose first', 'MMPose failed first', 'plugin first, by a config'])
def test_import_order_does_not_matter(imports, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['hourglass_plugin'])\n")
    assert run_python(f'{imports}\n{BUILD}')[0] == BUILT


def test_network_needs_torch_and_mmengine_only(tmp_path):
    """And works beside an MMPose that is broken."""
    (tmp_path / 'mmpose').mkdir()
    (tmp_path / 'mmpose' / '__init__.py').write_text(
        "raise RuntimeError('broken')")
    result, log = run_python('''
from hourglass_plugin.models import StackedHourglass
from mmengine.registry import MODELS
import sys
StackedHourglass(num_stacks=1, feat_channels=8, num_keypoints=2)
result = [MODELS.get('StackedHourglass') is StackedHourglass,
          sorted(name for name, module in sys.modules.items()
                 if module and (name.split('.')[0] in
                 ('mmpose', 'mmcv', 'mmdet', 'pycocotools') or
                 # these import half of torch that it does not itself
                 name in ('mmengine.model', 'mmengine.optim')))]
try:
    import mmpose
except RuntimeError as error:
    result.append(str(error))
''', path=[tmp_path], hide=['mmcv', 'mmdet', 'pycocotools'])
    assert result == [True, [], 'broken']
    assert log == ''  # nothing is missing that the network needs


@pytest.mark.parametrize('call, missing', [
    ('import hourglass_plugin', 'mmengine'),
    ('import hourglass_plugin, mmpose\n'
     '    from hourglass_plugin.compat.imports import import_mmpose\n'
     '    import_mmpose()', 'mmdet'),
])
def test_a_missing_library_is_one_clear_error(call, missing):
    message, log = run_python(f'''
try:
    {call}
except ImportError as error:
    result = str(error)
''', hide=[missing])
    assert missing in message and 'requirements/mminstall.txt' in message
    if missing == 'mmdet':
        assert message in log  # of `import mmpose`, which goes on


# What other libraries have in this process, and what is different later.
STATE = '''
import warnings
import torch
from mmengine.config import config as config_module
from mmengine.runner.checkpoint import CheckpointLoader

def state():
    found = dict(
        filters=list(warnings.filters),
        # since torch 2.4
        safe_globals=set(getattr(torch.serialization, 'get_safe_globals',
                                 list)()),
        load_checkpoint=CheckpointLoader.load_checkpoint.__func__,
        # onedl-mmengine has no such name
        format_code=getattr(config_module, 'FormatCode', None))
    if 'mmpose.visualization' in sys.modules:
        from mmpose.visualization import opencv_backend_visualizer as module
        found['draw_circles'] = module.OpencvBackendVisualizer.draw_circles
        import mmdet.registry
        for registry in (mmdet.registry.MODELS, mmdet.registry.DATASETS,
                         mmdet.registry.METRICS, mmdet.registry.HOOKS):
            for name, entry in registry.module_dict.items():
                found[f'mmdet {registry.name} {name}'] = entry
    return found

def changed(before, after):
    return [name for name in before if before[name] != after[name]]
'''
# MMPose under stand-ins, with none of our classes.
MMPOSE_ALONE = '''
import hourglass_plugin.registration
registered = dict(hourglass_plugin.registration.REGISTERED_WITH)
hourglass_plugin.registration.REGISTERED_WITH.update(
    mmpose=('compat.mmpose', ))
import mmpose
hourglass_plugin.registration.REGISTERED_WITH.update(registered)
'''
AFTER_MMPOSE = f'''
{WORKING_OPERATORS}
import mmpose.visualization, mmdet.models
'''


@pytest.mark.parametrize('first, between', [
    ('', ''), ('', MMPOSE_ALONE), (AFTER_MMPOSE, '')],
    ids=['without MMPose', 'MMPose later', 'MMPose first'])
def test_import_registers_and_changes_nothing(first, between, tmp_path):
    if first:
        write_working_modules(tmp_path)
    (names, loaded), log = run_python(f'''
import sys
{first}
{STATE}
before_package = state()
import hourglass_plugin
names = changed(before_package, state())
{between}
before = state()
import hourglass_plugin.models
if 'mmpose' in sys.modules:
    hourglass_plugin.registration.register_with('mmpose')
    from mmpose.registry import DATASETS
    assert DATASETS.get('HourglassMPIIDataset')
names += changed(before, state())
result = [names, sorted({{'mmpose', 'mmcv', 'mmdet'}} & set(sys.modules))]
''', path=[tmp_path])
    assert names == []
    assert loaded == (['mmcv', 'mmdet', 'mmpose'] if first or between else [])
    assert not first or 'hourglass_plugin: ' not in log
