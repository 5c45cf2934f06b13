"""Workarounds: stand-ins, checkpoints, warnings.

Stand-ins are tested in fresh interpreters, with modules made missing or
broken there, so that the tests mean the same wherever they run.
"""
import json
import logging
import os
import pickle
import warnings

import numpy as np
import pytest
import torch
from fresh_interpreter import run_python
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn
from torch.utils.data import DataLoader

from hourglass_plugin.compat import imports as compat

# What the tests of stand-ins look at, once hourglass_plugin is imported.
STATE = '''
import logging, sys
from mmpose.datasets.datasets.base import base_coco_style_dataset
from mmpose.evaluation.metrics import coco_metric
from mmpose.visualization import simcc_vis

def error_of(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

state = dict(
    loaded=[name for name in ('mmcv._ext', 'torchvision', 'xtcocotools',
                              'torchvision.transforms', 'xtcocotools.coco')
            if sys.modules.get(name)],
    coco=base_coco_style_dataset.COCO.__module__,
    coco_eval=coco_metric.COCOeval.__module__,
    to_pil_image=simcc_vis.ToPILImage.__module__)
'''


@pytest.fixture
def broken_modules(tmp_path):
    """A folder with a torchvision and an xtcocotools that do not import."""
    (tmp_path / 'torchvision').mkdir()
    (tmp_path / 'torchvision' / '__init__.py').write_text(
        'from . import extension\n'
        "raise RuntimeError('operator torchvision::nms does not exist')\n")
    (tmp_path / 'torchvision' / 'extension.py').write_text('')
    (tmp_path / 'xtcocotools').mkdir()
    (tmp_path / 'xtcocotools' / '__init__.py').write_text('')
    (tmp_path / 'xtcocotools' / 'mask.py').write_text(
        "raise ValueError('numpy.dtype size changed')\n")
    return tmp_path


@pytest.fixture
def working_modules(tmp_path):
    """A folder with a torchvision and an xtcocotools that import."""
    for module, content in (('torchvision/transforms',
                             'class ToPILImage: pass'),
                            ('xtcocotools/coco', 'class COCO: pass'),
                            ('xtcocotools/cocoeval', 'class COCOeval: pass'),
                            ('xtcocotools/mask', '')):
        file = tmp_path / f'{module}.py'
        file.parent.mkdir(exist_ok=True)
        (file.parent / '__init__.py').touch()
        file.write_text(content)
    return tmp_path


def test_broken_modules_are_replaced_only_while_mmpose_is_imported(
        broken_modules):
    result, log = run_python(
        f'''
import hourglass_plugin
{STATE}
from mmcv.ops import nms, nms_match
from mmengine.model import revert_sync_batchnorm
from mmengine.utils.dl_utils import mmcv_full_available
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
        path=[broken_modules],
        hide=['mmcv._ext'])
    # hide leaves None in sys.modules, the sign of a module that is missing.
    assert result['loaded'] == []
    assert result['coco'] == result['coco_eval'] == 'hourglass_plugin.coco'
    # NMS works: of two boxes that are the same the better one stays.
    assert result['kept'] == [1, 2]
    # What else is bound to a stand-in names the package when it is called.
    assert result['operator_error'].startswith('ImportError')
    assert 'install the full mmcv' in result['operator_error']
    assert result['picture_error'].startswith('ImportError')
    assert 'install the torchvision' in result['picture_error']
    # Others find what is really there.
    assert result['torchvision_error'] == (
        'RuntimeError: operator torchvision::nms does not exist')
    assert result['revert_error'] is None
    # One line each, with the reason.
    lines = [line for line in log.splitlines() if 'hourglass_plugin: ' in line]
    assert len(lines) == 3
    assert [sum(name in line for line in lines)
            for name in ('mmcv._ext', 'torchvision::nms', 'numpy.dtype')
            ] == [1, 1, 1]


def test_what_works_is_not_replaced(working_modules):
    result, log = run_python(
        f'''
import sys, types

class Operators(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return print

operators = sys.modules['mmcv._ext'] = Operators('mmcv._ext')
import hourglass_plugin
{STATE}
state['operator'] = sys.modules['mmcv._ext'] is operators
result = state
''',
        path=[working_modules])
    assert result == dict(
        loaded=[
            'mmcv._ext', 'torchvision', 'xtcocotools',
            'torchvision.transforms', 'xtcocotools.coco'
        ],
        coco='xtcocotools.coco',
        coco_eval='xtcocotools.cocoeval',
        to_pil_image='torchvision.transforms',
        operator=True)
    assert 'hourglass_plugin: ' not in log


def test_mmpose_is_imported_without_pkg_resources():
    result, log = run_python(
        '''
import hourglass_plugin, sys
from mmengine.utils import package_utils
from mmpose.apis import inference_topdown
result = [callable(inference_topdown), bool(sys.modules.get('pkg_resources'))]
''',
        hide=['pkg_resources'])
    assert result == [True, False]
    assert "'setuptools<81'" in log


def save_coco_files(folder, offset):
    """One person with two keypoints, found ``offset`` pixels too far right."""
    annotation = dict(
        id=1,
        image_id=1,
        category_id=1,
        area=100.0,
        bbox=[0, 0, 10, 10],
        num_keypoints=2,
        keypoints=[2, 3, 2, 5, 7, 2])
    truth = dict(
        info={},
        images=[dict(id=1, width=20, height=20)],
        categories=[dict(id=1, name='person')],
        annotations=[annotation])
    found = dict(
        image_id=1,
        category_id=1,
        score=0.9,
        keypoints=[2 + offset, 3, 1, 5 + offset, 7, 1])
    return truth, [found]


def coco_average_precision(tmp_path, offset, **options):
    from hourglass_plugin.compat.coco import COCO, COCOeval
    truth, found = save_coco_files(tmp_path, offset)
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    truth = COCO(str(tmp_path / 'truth.json'))
    evaluation = COCOeval(truth, truth.loadRes(found), 'keypoints', **options)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0]


def test_coco_evaluation_uses_the_data_sets_sigmas(tmp_path):
    # OKS = exp(-d^2 / (2 (2 sigma)^2 area)). With sigma 0.1 and area 100 the
    # denominator is 8, and d = 1.62 gives OKS 0.7203: above the thresholds
    # 0.5, 0.55, 0.6, 0.65 and 0.7, below 0.75 to 0.95. So AP is 5 of 10.
    sigmas = np.array([0.1, 0.1])
    assert coco_average_precision(
        tmp_path, 1.62, sigmas=sigmas) == pytest.approx(0.5)
    # sigma 0.2: the denominator is 32, OKS 0.9213: all but 0.95.
    assert coco_average_precision(
        tmp_path, 1.62, sigmas=2 * sigmas) == pytest.approx(0.9)


def test_coco_people_are_no_crowd_unless_it_is_said(tmp_path):
    from hourglass_plugin.compat.coco import COCO
    truth, _ = save_coco_files(tmp_path, 0)
    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    assert coco.loadAnns(1)[0]['iscrowd'] is False


@pytest.mark.parametrize('options', [
    dict(iouType='keypoints_crowd'),
    dict(iouType='keypoints', use_area=False),
])
def test_what_only_xtcocotools_evaluates_is_refused(options):
    from hourglass_plugin.compat.coco import COCOeval
    with pytest.raises(ValueError, match='install xtcocotools'):
        COCOeval(**options)


# Checkpoints


def history(*values):
    buffer = HistoryBuffer()
    for value in values:
        buffer.update(value)
    return buffer


def scheduler(**config):
    """The state of a learning rate scheduler."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    return PARAM_SCHEDULERS.build(
        config, default_args=dict(optimizer=optimizer)).state_dict()


def mmengine_checkpoint():
    """All kinds of things that mmengine's checkpoints hold."""
    return dict(
        meta=dict(
            epoch=1,
            dataset_meta=dict(
                sigmas=np.array([0.25, 0.5]),
                flip_indices=[1, 0],
                no_sigmas=np.array([]),
                colors=np.array([[255, 0, 128]], dtype=np.uint8),
                weights=np.array([1, 1.5], dtype=np.float32))),
        message_hub=dict(
            log_scalars={'train/loss': history(3.0, 1.0)},
            runtime_info=dict(best_score=np.float64(87.5), epoch=1)),
        param_schedulers=[
            scheduler(type='MultiStepLR', milestones=[3, 5]),
            scheduler(type='OneCycleLR', eta_max=1.0, total_steps=4),
            scheduler(
                type='OneCycleLR',
                eta_max=1.0,
                total_steps=4,
                anneal_strategy='linear'),
        ],
        state_dict={'weight': torch.tensor([1.0, 2.0])})


def load(path, **options):
    return CheckpointLoader.load_checkpoint(
        str(path), logger='silent', **options)


def check_same(loaded):
    assert loaded['state_dict']['weight'].tolist() == [1, 2]
    assert loaded['meta']['epoch'] == 1
    data_set = loaded['meta']['dataset_meta']
    assert data_set['sigmas'].tolist() == [0.25, 0.5]
    assert data_set['no_sigmas'].shape == (0, )
    assert data_set['colors'].dtype == np.uint8
    assert data_set['colors'].tolist() == [[255, 0, 128]]
    assert data_set['weights'].dtype == np.float32
    assert loaded['message_hub']['runtime_info']['best_score'] == 87.5
    steps, cosine, linear = loaded['param_schedulers']
    assert dict(steps['milestones']) == {3: 1, 5: 1}
    # A quarter of the way from 1 to 3; half a turn of the cosine in all:
    # 2 - cos(pi / 4).
    assert [curve['anneal_func'](1, 3, 0.25) for curve in (cosine, linear)
            ] == pytest.approx([2 - 0.5**0.5, 1.5])
    losses = loaded['message_hub']['log_scalars']['train/loss']
    assert losses.data[0].tolist() == [3, 1]
    assert losses.statistics('mean') == 2
    assert losses.statistics('current') == 1


def test_own_checkpoints_load(tmp_path):
    torch.save(mmengine_checkpoint(), tmp_path / 'own.pth')
    check_same(load(tmp_path / 'own.pth'))


def test_checkpoints_load_across_major_versions_of_numpy(tmp_path):
    # In the old format the pickle is plain text at the start of the file.
    own, other = tmp_path / 'own.pth', tmp_path / 'other.pth'
    torch.save(
        mmengine_checkpoint(), own, _use_new_zipfile_serialization=False)
    names = [b'cnumpy.core.multiarray\n', b'cnumpy._core.multiarray\n']
    if np.__version__.startswith('2'):
        names.reverse()
    content = own.read_bytes()
    assert names[0] in content and names[1] not in content
    other.write_bytes(content.replace(*names))
    check_same(load(other))


class Foreign:
    """A class of a stranger."""


class RunsCode:
    """What an attacker's pickle does: it has a function called."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def foreign_objects(folder):
    return {
        f'{__name__}.Foreign': Foreign(),
        f'{os.system.__module__}.system': RunsCode(
            os.system, f'touch {folder / "code_has_run"}'),
        'builtins.getattr': RunsCode(getattr, HistoryBuffer, '__init__'),
    }


@pytest.mark.parametrize('number', range(3))
def test_foreign_objects_are_refused(tmp_path, number):
    name, foreign = list(foreign_objects(tmp_path).items())[number]
    path = tmp_path / 'foreign.pth'
    torch.save({**mmengine_checkpoint(), 'extra': foreign}, path)
    with pytest.raises(ValueError) as error:
        load(path)
    message = str(error.value)
    assert message.startswith(f'{path} holds {name}, ')
    assert 'torch.load(file, weights_only=False)' in message
    assert '\n' not in message
    assert not (tmp_path / 'code_has_run').exists()


def test_no_loader_of_mmengine_gets_around_the_check(tmp_path):
    """onedl-mmengine's loader tries again with ``weights_only=False``."""
    path = tmp_path / 'foreign.pth'
    torch.save({'extra': Foreign()}, path)

    def trusting_loader(filename, map_location):
        return torch.load(path, map_location, weights_only=False)

    CheckpointLoader.register_scheme('trusting://', trusting_loader)
    try:
        with pytest.raises(ValueError, match='holds .*Foreign'):
            load('trusting://foreign.pth')
    finally:
        del CheckpointLoader._schemes['trusting://']


@pytest.mark.parametrize('value', [None, '0'])
def test_other_code_loads_as_before(tmp_path, monkeypatch, value):
    switches = ('TORCH_FORCE_WEIGHTS_ONLY_LOAD',
                'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')
    for switch in switches:
        monkeypatch.delenv(switch, raising=False)
        if value is not None:
            monkeypatch.setenv(switch, value)
    path = tmp_path / 'foreign.pth'
    torch.save({'extra': Foreign()}, path)
    with pytest.raises(ValueError, match='foreign.pth'):
        load(path)
    assert [os.environ.get(switch) for switch in switches] == [value, value]
    assert isinstance(
        torch.load(path, weights_only=False)['extra'], Foreign)


def test_torch_s_own_switch_does_not_open_mmengine(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    path = tmp_path / 'foreign.pth'
    torch.save({'extra': Foreign()}, path)
    with pytest.raises(ValueError, match='holds .*Foreign'):
        load(path)


def test_restricted_pickle_for_torch_without_an_allow_list(tmp_path):
    def load_restricted(path):
        return torch.load(
            path, weights_only=False, pickle_module=compat.RestrictedPickle)

    path = tmp_path / 'checkpoint.pth'
    for new_format in (True, False):
        torch.save(
            mmengine_checkpoint(),
            path,
            _use_new_zipfile_serialization=new_format)
        check_same(load_restricted(path))
    for name, foreign in foreign_objects(tmp_path).items():
        torch.save({'extra': foreign}, path)
        with pytest.raises(pickle.UnpicklingError, match=f'GLOBAL {name}'):
            load_restricted(path)
    assert not (tmp_path / 'code_has_run').exists()


@pytest.mark.parametrize('content', [
    b'',
    b'hello world',
    None,
    # Protocol 2, then a number of which the digits are letters.
    b'\x80\x02IZZ\n.'
])
def test_files_that_are_no_checkpoints_are_named(tmp_path, content):
    path = tmp_path / 'broken.pth'
    if content is None:  # a download that was cut off
        torch.save(mmengine_checkpoint(), path)
        content = path.read_bytes()[:500]
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        load(path)
    assert str(error.value) == (
        f'{path} is not a checkpoint of PyTorch, or only a part of one')


def test_other_errors_of_loading_stay(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / 'missing.pth')

    def no_device(filename, map_location):
        raise RuntimeError('Attempting to deserialize object on a CUDA device')

    path = tmp_path / 'checkpoint.pth'
    path.touch()
    CheckpointLoader.register_scheme(str(tmp_path), no_device)
    try:
        with pytest.raises(RuntimeError, match='on a CUDA device'):
            load(path)
    finally:
        del CheckpointLoader._schemes[str(tmp_path)]


class Line(BaseModel):
    """y = w x, trained on y."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x, y, mode):
        return dict(loss=(self.weight * x - y).square().mean())


def train_line(work_dir, epochs, resume=False):
    data = [dict(x=float(x), y=2.0 * x) for x in range(3)]
    runner = Runner(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=DataLoader(data),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        resume=resume,
        experiment_name=f'{work_dir.name}_{epochs}')
    runner.train()
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    return runner.model.weight.item(), losses.tolist()


def test_a_resumed_training_is_the_uninterrupted_one(tmp_path):
    weight, losses = train_line(tmp_path / 'whole', epochs=2)
    train_line(tmp_path / 'parts', epochs=1)
    resumed = train_line(tmp_path / 'parts', epochs=2, resume=True)
    assert len(losses) == 6
    assert resumed == (weight, losses)


# Warnings


def test_others_deprecations_are_hidden_and_data_warnings_shown():
    def is_shown(category, module):
        with warnings.catch_warnings(record=True) as shown:
            warnings.resetwarnings()
            compat.quiet_other_libraries()
            warnings.warn_explicit(
                'text', category, f'{module}.py', 1, module=module)
        return len(shown) == 1

    assert not is_shown(DeprecationWarning, 'mmengine.runner.runner')
    assert not is_shown(FutureWarning, 'torch.cuda.amp')
    assert is_shown(UserWarning, 'mmpose.datasets.datasets.base')
    assert is_shown(DeprecationWarning, 'my_project.train')
    assert is_shown(DeprecationWarning, 'torchmetrics.functional')


def test_a_first_import_shows_no_warnings():
    _, log = run_python('import hourglass_plugin\nresult = None')
    lines = [line for line in log.splitlines()
             if not line.startswith('hourglass_plugin: ')]
    assert lines == []


def test_logger_is_the_packages_own():
    # So that logging.getLogger('hourglass_plugin').setLevel(...) silences it.
    assert compat.logger is logging.getLogger('hourglass_plugin')


def test_the_text_of_a_config_is_laid_out_once(monkeypatch):
    calls = []
    module = compat.config_module
    if not hasattr(module, 'FormatCode'):
        pytest.skip('onedl-mmengine imports yapf only where it uses it')
    format_code = module.FormatCode
    monkeypatch.setattr(module, 'FormatCode',
                        lambda *args, **options: calls.append(args) or
                        (f'layout {len(calls)}', True))
    compat.lay_configs_out_once()
    config = Config(dict(a=1))
    assert config.pretty_text == config.pretty_text == 'layout 1'
    assert Config(dict(a=2)).pretty_text == 'layout 2'
    assert config.pretty_text == 'layout 3'  # one is kept, not all
    # And it is in place, once, for everybody.
    wrapped = module.FormatCode
    compat.lay_configs_out_once()
    assert module.FormatCode is wrapped
    assert hasattr(format_code, 'kept')
