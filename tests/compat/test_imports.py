"""Stand-ins while MMPose is imported, in fresh interpreters.

Modules are made missing or broken there, so that the tests mean the same
wherever they run.
"""
from fresh_interpreter import (
    WORKING_OPERATORS,
    run_python,
    write_working_modules,
)

# What is bound inside MMPose, once it is imported.
STATE = '''
import hourglass_plugin, logging, sys
from mmpose.datasets.datasets.base import base_coco_style_dataset
from mmpose.evaluation.metrics import coco_metric
from mmpose.visualization import simcc_vis

def error_of(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return [type(error).__name__, str(error)]

state = dict(
    loaded=[name for name in ('mmcv._ext', 'torchvision', 'xtcocotools',
                              'torchvision.transforms', 'xtcocotools.coco')
            if sys.modules.get(name)],
    coco=base_coco_style_dataset.COCO.__module__,
    coco_eval=coco_metric.COCOeval.__module__,
    to_pil_image=simcc_vis.ToPILImage.__module__)
'''
BROKEN = {
    'torchvision/__init__.py': 'from . import extension\n'
    "raise RuntimeError('operator torchvision::nms does not exist')\n",
    'torchvision/extension.py': '',
    'xtcocotools/__init__.py': '',
    'xtcocotools/mask.py': "raise ValueError('numpy.dtype size changed')\n"}


def test_broken_modules_are_replaced_only_while_mmpose_is_imported(tmp_path):
    for name, content in BROKEN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    result, log = run_python(
        f'''
import logging
logging.basicConfig(level=logging.INFO)
{STATE}
from mmcv.ops import nms, nms_match
from mmengine.model import revert_sync_batchnorm
from mmdet.models import RetinaNet  # needs mmcv.ops too
import torch
boxes = torch.tensor([[0, 0, 2, 2], [0, 0, 2, 2], [2, 0, 4, 2.]])
kept = nms(boxes, torch.tensor([.5, .6, .4]), 0.5)[1]
state.update(
    kept=kept.tolist(),
    operator_error=error_of(nms_match, torch.rand(2, 5), 0.5),
    picture_error=error_of(simcc_vis.ToPILImage),
    torchvision_error=error_of(__import__, 'torchvision'),
    revert_error=error_of(revert_sync_batchnorm, torch.nn.BatchNorm2d(2)))
result = state
''',
        path=[tmp_path],
        hide=['mmcv._ext'])
    # hide leaves None in sys.modules, the sign of a module that is missing.
    assert result['loaded'] == []
    assert (result['coco'] == result['coco_eval'] ==
            'hourglass_plugin.compat.coco')
    # NMS works: of two boxes that are the same the better one stays.
    assert result['kept'] == [1, 2]
    # The other stand-ins name the package when they are called.
    for name, package in (('operator', 'full mmcv'),
                          ('picture', 'torchvision')):
        kind, message = result[f'{name}_error']
        assert kind == 'ImportError' and package in message
    # Others find what is really there.
    assert result['torchvision_error'][0] == 'RuntimeError'
    assert result['revert_error'] is None
    # One line each, with the reason.
    lines = [line for line in log.splitlines() if 'hourglass_plugin: ' in line]
    assert [[name in line for line in lines].count(True)
            for name in ('mmcv._ext', 'torchvision::nms', 'numpy.dtype')
            ] == [1, 1, 1] and len(lines) == 3


def test_working_modules_are_not_replaced(tmp_path):
    write_working_modules(tmp_path)
    result, log = run_python(
        f'''
{WORKING_OPERATORS}
{STATE}
state['operator'] = sys.modules['mmcv._ext'] is operators
result = state
''',
        path=[tmp_path])
    assert len(result.pop('loaded')) == 5
    assert result == dict(
        coco='xtcocotools.coco', coco_eval='xtcocotools.cocoeval',
        to_pil_image='torchvision.transforms', operator=True)
    assert 'hourglass_plugin: ' not in log


def test_mmpose_is_imported_without_what_newer_pythons_lack():
    """setuptools 82 has no pkg_resources, Python 3.14 no find_loader."""
    result, log = run_python(
        '''
import hourglass_plugin, logging, pkgutil, sys
logging.basicConfig(level=logging.INFO)
if hasattr(pkgutil, 'find_loader'):
    del pkgutil.find_loader
from mmpose.apis import inference_topdown
result = [callable(inference_topdown), bool(sys.modules.get('pkg_resources')),
          hasattr(pkgutil, 'find_loader')]
from hourglass_plugin.compat.versions import restore_find_loader
from mmengine.utils.dl_utils import mmcv_full_available
restore_find_loader()
result += [mmcv_full_available(), pkgutil.find_loader('json') is not None]
''',
        hide=['pkg_resources', 'mmcv._ext'])
    assert result == [True, False, False, False, True]
    assert 'pkg_resources' in log
