"""Parts of a config that do not belong together are refused, in one line."""
import copy
import json

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import DATASETS, KEYPOINT_CODECS, MODELS

from hourglass_plugin.models.consistency import check_data, check_model

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
def test_what_belongs_together_is_built(changes):
    MODELS.build(model(**changes))


@pytest.mark.parametrize('changes, message', [
    (dict(backbone__num_keypoints=16),
     'num_keypoints=16, but the head out_channels=14: set model.backbone'),
    (dict(head__decoder__type='MPIIHeatmap'),
     'encodes the 16 keypoints of mpii, but got 14'),
    (dict(head__in_channels=8, head__num_stages=2),
     'remove in_channels and num_stages from model.head'),
    (FEATURES, 'set model.backbone.num_keypoints=14, or give model.head '
     'in_channels=8 and num_stages=2'),
    (dict(FEATURES, head__in_channels=16, head__num_stages=2),
     'set model.head.in_channels=8'),
    (dict(FEATURES, head__in_channels=8, head__num_stages=3),
     'returns 2 stacks.*set model.head.num_stages=2'),
    (dict(head__loss_weights=[1.0]), 'returns 2 stacks.*num_stages=1'),
    (dict(head__decoder__heatmap_size=(32, 32)),
     r'set heatmap_size=\(16, 16\) in the codec'),
    (dict(
        head__decoder__input_size=(72, 64),
        head__decoder__heatmap_size=(18, 16)),
     r'multiples of 16: set input_size=\(80, 64\)'),
    (dict(head__decoder__sigma=0), 'sigma must be positive, but it is 0'),
    (dict(test_cfg=dict(flip_test=True, shift_heatmap=True)),
     'remove shift_heatmap from model.test_cfg'),
    (dict(head__decoder=None), 'set model.head.decoder=codec'),
    (dict(test_cfg=dict(flip_tset=True)), 'flip_tset'),
    (dict(test_cfg=dict(stack=0)), "'stack'.*eval_stack"),
])
def test_what_does_not_is_refused_when_the_model_is_built(changes, message):
    with pytest.raises(ValueError, match=message) as raised:
        MODELS.build(model(**changes))
    assert '\n' not in str(raised.value)


def test_mmposes_estimator_is_checked_by_the_runner():
    """It builds with anything; the check is the same."""
    estimator = MODELS.build(
        model(type='TopdownPoseEstimator', backbone__num_keypoints=16))
    with pytest.raises(ValueError, match='out_channels=14'):
        check_model(estimator)


@KEYPOINT_CODECS.register_module()
class CodecOfAnotherMirror(BaseKeypointCodec):
    """Draws everything two cells to the right of where it is."""

    auxiliary_encode_keys = frozenset()

    def __init__(self, input_size, heatmap_size):
        super().__init__()
        self.input_size = input_size
        self.codec = KEYPOINT_CODECS.build(CODEC)

    def encode(self, keypoints, keypoints_visible=None):
        return self.codec.encode(
            np.asarray(keypoints) + (8, 0), keypoints_visible)

    def decode(self, encoded):
        return self.codec.decode(encoded)


def test_a_codec_whose_mirror_image_is_elsewhere():
    """Twice two cells off; a shift to the right by one leaves three."""
    with pytest.raises(ValueError, match='do not line up.*of 63 - x'):
        MODELS.build(
            model(
                head__decoder=dict(
                    type='CodecOfAnotherMirror',
                    input_size=(64, 64),
                    heatmap_size=(16, 16))))


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


@pytest.mark.parametrize('options, message', [
    (dict(kind='HourglassMPIIDataset'), r'val_dataloader.dataset \(mpii\) has 16 '
     'keypoints.*set model.head.out_channels=16'),
    (dict(size=(128, 128)), r'TopdownCrop in val_dataloader.dataset makes '
     r'images of \(128, 128\).*input_size=\(64, 64\)'),
    (dict(heatmap_size=(32, 32)), r'heatmap_size=\(32, 32\), but that of '
     r'model.head.decoder heatmap_size=\(16, 16\)'),
    (dict(sigma=2.0), 'sigma=2.0, but that of model.head.decoder sigma=1.0'),
    (dict(refinement='subpixel'), 'exact_centers=True'),
])
def test_data_of_another_model_are_refused(tmp_path, options, message):
    estimator = MODELS.build(model())
    check_data(dataset(tmp_path), estimator, 'val')
    with pytest.raises(ValueError, match=message):
        check_data(dataset(tmp_path, **options), estimator, 'val')
    wrapped = DATASETS.build(
        dict(
            type='mmengine.ConcatDataset',
            datasets=[dataset(tmp_path, **options)],
            lazy_init=True))
    with pytest.raises(ValueError, match=message):
        check_data(wrapped, estimator, 'val')


def test_any_tools_runner_refuses_it_before_it_runs(tmp_path):
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
    with pytest.raises(ValueError, match='train_dataloader.dataset .* has 16'):
        runner.train()
