"""Parts of a config that do not fit together are refused, in one line."""
import copy
import json
from types import MappingProxyType

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import DATASETS, KEYPOINT_CODECS, MODELS
from torch import nn

from hourglass_plugin.models.consistency import (
    check_data,
    check_model,
    flip_shift,
)

CODEC = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(16, 16))


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def model(**changes):
    """A config of two stacks; ``changes`` are ``part__setting=value``, a part
    of several names as ``head__decoder__sigma``."""
    config = dict(
        type='HourglassPoseEstimator',
        backbone=dict(
            type='StackedHourglass',
            num_stacks=2,
            feat_channels=8,
            depth=2,
            num_keypoints=14),
        head=dict(
            type='MultiStageHeatmapHead',
            out_channels=14,
            decoder=copy.deepcopy(CODEC)),
        test_cfg=dict(flip_test=True))
    for name, value in changes.items():
        *parents, last = name.split('__')
        part = config
        for key in parents:
            part = part[key]
        part[last] = value
    return config


FEATURES = dict(backbone__num_keypoints=None)


@pytest.mark.parametrize('changes', [
    dict(),
    dict(FEATURES, head__in_channels=8, head__num_stages=2),
    dict(
        FEATURES,
        backbone__out_stacks=(-1, ),
        head__in_channels=8,
        head__num_stages=1),
    dict(head__loss_weights=[1.0, 0.5]),
    dict(
        head__decoder__input_size=(127, 63),
        head__decoder__heatmap_size=(32, 16)),
    dict(test_cfg=dict(flip_test=True, shift_heatmap=False)),
    dict(head__decoder=None, test_cfg=dict()),
    dict(test_cfg=dict(flip_mode='heatmap', output_heatmaps=True, mine=1)),
])
def test_parts_that_fit_are_built(changes):
    MODELS.build(model(**changes))


@pytest.mark.parametrize('changes, setting', [
    (dict(backbone__num_keypoints=16), 'out_channels'),
    (dict(head__decoder__type='MPIIHeatmap'), 'out_channels'),
    (dict(head__in_channels=8, head__num_stages=2), 'in_channels'),
    (FEATURES, 'model.backbone.num_keypoints=14'),
    (dict(FEATURES, head__in_channels=16, head__num_stages=2),
     'model.head.in_channels=8'),
    (dict(FEATURES, head__in_channels=8, head__num_stages=3),
     'model.head.num_stages=2'),
    (dict(head__loss_weights=[1.0]), 'num_stages=1'),
    (dict(head__decoder__heatmap_size=(32, 32)), r'heatmap_size=\(16, 16\)'),
    (dict(head__decoder__input_size=(72, 64),
          head__decoder__heatmap_size=(18, 16)), r'input_size=\(80, 64\)'),
    (dict(head__decoder__sigma=0), 'sigma'),
    (dict(test_cfg=dict(flip_test=True, shift_heatmap=True)),
     'shift_heatmap'),
    (dict(head__decoder=None), 'model.head.decoder'),
    (dict(head__decoder=dict(type='CodecForTest'),
          backbone__type='MMPoseNetwork'), 'flip_shift'),
    (dict(test_cfg=dict(flip_tset=True)), 'flip_test'),
    (dict(test_cfg=dict(stack=0)), 'eval_stack'),
    (dict(neck=dict(type='NeckForTest')), 'neck=None'),
], ids=str)
def test_parts_that_disagree_are_refused(changes, setting):
    """In one line that has the setting to change."""
    with pytest.raises(ValueError, match=setting) as raised:
        MODELS.build(model(**changes))
    assert '\n' not in str(raised.value)


MODELS.register_module('NeckForTest', module=nn.Identity)
MODELS.register_module('MMPoseNetwork', module=type(
    'MMPoseNetwork', (nn.Module, ), dict(__init__=lambda self, **_: super(
        type(self), self).__init__())))


@KEYPOINT_CODECS.register_module()
class CodecForTest(BaseKeypointCodec):
    """Says nothing about flipped heatmaps."""

    auxiliary_encode_keys = frozenset()
    field_mapping_table = MappingProxyType(dict(heatmaps='heatmaps'))

    def encode(self, keypoints, keypoints_visible=None):
        raise NotImplementedError

    def decode(self, encoded):
        raise NotImplementedError


def test_a_codec_without_flip_shift_leaves_it_to_the_config():
    for shift in (False, True):
        assert flip_shift(CodecForTest(), dict(shift_heatmap=shift)) is shift
    codec = CodecForTest()
    codec.flip_shift = True
    assert flip_shift(codec, {}) is True


def test_a_subclass_of_mmposes_codec_shifts_as_mmposes():
    msra = type('MyHeatmap', (KEYPOINT_CODECS.get('MSRAHeatmap'), ), {})
    codec = msra(input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
    assert flip_shift(codec, {}) is True


def test_mmposes_estimator_is_checked_by_the_runner():
    """It builds with anything; the check is the same."""
    estimator = MODELS.build(
        model(type='TopdownPoseEstimator', backbone__num_keypoints=16))
    with pytest.raises(ValueError, match='out_channels=14'):
        check_model(estimator)


def test_models_with_another_head_are_not_checked():
    check_model(nn.Linear(1, 1))
    check_data(None, nn.Linear(1, 1), 'train')


def dataset(tmp_path, kind='HourglassLSPDataset', size=(64, 64), **encoder):
    return DATASETS.build(
        dict(
            type=kind,
            data_root=str(tmp_path),
            ann_file='a.json',
            lazy_init=True,
            pipeline=[
                dict(type='TopdownCrop', input_size=size),
                dict(type='GenerateTarget', encoder=dict(CODEC, **encoder)),
                dict(type='PackPoseInputs'),
            ]))


@pytest.mark.parametrize('options, setting', [
    (dict(kind='HourglassMPIIDataset'), 'out_channels'),
    (dict(size=(128, 128)), 'TopdownCrop'),
    (dict(heatmap_size=(32, 32)), 'heatmap_size'),
    (dict(sigma=2.0), 'sigma'),
    (dict(refinement='subpixel'), 'exact_centers'),
])
def test_data_that_do_not_fit_the_model_are_refused(tmp_path, options,
                                                    setting):
    estimator = MODELS.build(model())
    check_data(dataset(tmp_path), estimator, 'val')
    pattern = f'{setting}.* in val_dataloader.dataset|val_.*{setting}'
    with pytest.raises(ValueError, match=pattern):
        check_data(dataset(tmp_path, **options), estimator, 'val')
    wrapped = DATASETS.build(
        dict(
            type='mmengine.ConcatDataset',
            datasets=[dataset(tmp_path, **options)],
            lazy_init=True))
    with pytest.raises(ValueError, match=pattern):
        check_data(wrapped, estimator, 'val')


def test_config_check_hook_works_in_any_runner(tmp_path):
    (tmp_path / 'a.json').write_text(
        json.dumps([
            dict(
                image='a.png',
                center=[9, 9],
                scale=0.1,
                joints=[[9, 9]] * 16,
                joints_vis=[1] * 16)
        ]))
    built = dataset(tmp_path, 'HourglassMPIIDataset')
    built.full_init()
    runner = Runner(
        model=model(type='TopdownPoseEstimator'),
        work_dir=str(tmp_path / 'work'),
        train_dataloader=dict(
            batch_size=1,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=built),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(config_check=dict(type='ConfigCheckHook')),
        default_scope='mmpose',
        experiment_name=f'checked_{tmp_path.name}',
        cfg=Config())
    with pytest.raises(ValueError, match='train_dataloader.dataset'):
        runner.train()
