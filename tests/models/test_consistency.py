"""Parts of a config that do not fit together are refused, in one line."""
from types import MappingProxyType

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import DATASETS, KEYPOINT_CODECS, MODELS
from small_estimator import CODEC, HEAD
from torch import nn

from hourglass_plugin.models.consistency import (
    check_data,
    check_model,
    flip_shift,
)


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


@KEYPOINT_CODECS.register_module()
class CodecForTest(BaseKeypointCodec):
    """Says nothing about flipped heatmaps."""

    auxiliary_encode_keys = frozenset()
    field_mapping_table = MappingProxyType(dict(heatmaps='heatmaps'))

    def encode(self, keypoints, keypoints_visible=None):
        raise NotImplementedError

    def decode(self, encoded):
        raise NotImplementedError


@MODELS.register_module()
class NetworkForTest(nn.Module):

    def __init__(self, **_):
        super().__init__()


def config(**changes):
    """Of two stacks; ``changes`` are ``part__setting=value``, a part of
    several names as ``head__decoder__sigma``."""
    made = Config(dict(
        type='HourglassPoseEstimator',
        backbone=dict(
            type='StackedHourglass', num_stacks=2, feat_channels=8, depth=2,
            num_keypoints=14),
        head=dict(HEAD, out_channels=14),
        test_cfg=dict(flip_test=True)))
    made.merge_from_dict({
        name.replace('__', '.'): value
        for name, value in changes.items()})
    return made._cfg_dict


FEATURES = dict(backbone__num_keypoints=None, head__in_channels=8)


@pytest.mark.parametrize('changes', [
    dict(),
    dict(FEATURES, head__num_stages=2),
    dict(FEATURES, backbone__out_stacks=(-1, ), head__num_stages=1),
    dict(head__loss_weights=[1.0, 0.5]),
    dict(
        head__decoder__input_size=(127, 63),
        head__decoder__heatmap_size=(32, 16)),
    dict(test_cfg__shift_heatmap=False),
    dict(head__decoder=None, test_cfg__flip_test=False),
    dict(test_cfg=dict(flip_mode='heatmap', output_heatmaps=True, mine=1)),
], ids=str)
def test_parts_that_fit_are_built(changes):
    MODELS.build(config(**changes))


@pytest.mark.parametrize('changes, setting', [
    (dict(backbone__num_keypoints=16), 'out_channels'),
    (dict(head__decoder__type='MPIIHeatmap'), 'out_channels'),
    (dict(head__in_channels=8, head__num_stages=2), 'in_channels'),
    (dict(backbone__num_keypoints=None), 'model.backbone.num_keypoints=14'),
    (dict(FEATURES, head__in_channels=16, head__num_stages=2),
     'model.head.in_channels=8'),
    (dict(FEATURES, head__num_stages=3), 'model.head.num_stages=2'),
    (dict(head__loss_weights=[1.0]), 'num_stages=1'),
    (dict(head__decoder__heatmap_size=(32, 32)), r'heatmap_size=\(16, 16\)'),
    (dict(head__decoder__input_size=(72, 64),
          head__decoder__heatmap_size=(18, 16)), r'input_size=\(80, 64\)'),
    (dict(head__decoder__sigma=0), 'sigma'),
    (dict(test_cfg__shift_heatmap=True), 'shift_heatmap'),
    (dict(head__decoder=None), 'model.head.decoder'),
    (dict(head__decoder=dict(_delete_=True, type='CodecForTest'),
          backbone__type='NetworkForTest'), 'flip_shift'),
    (dict(test_cfg__flip_tset=True), 'flip_test'),
    (dict(test_cfg__stack=0), 'eval_stack'),
    (dict(neck=dict(type='NetworkForTest')), 'neck=None'),
], ids=str)
def test_parts_that_disagree_are_refused(changes, setting):
    """In one line that has the setting to change."""
    with pytest.raises(ValueError, match=setting) as raised:
        MODELS.build(config(**changes))
    assert '\n' not in str(raised.value)


def test_mmposes_estimator_is_checked_by_the_runner():
    """It builds with anything; the check is the same."""
    estimator = MODELS.build(
        config(type='TopdownPoseEstimator', backbone__num_keypoints=16))
    with pytest.raises(ValueError, match='out_channels=14'):
        check_model(estimator)


def test_codecs_of_others_shift_as_mmposes_or_as_the_config_says():
    codec = CodecForTest()
    for shift in (False, True):
        assert flip_shift(codec, dict(shift_heatmap=shift)) is shift
    codec.flip_shift = True
    assert flip_shift(codec, {}) is True
    msra = type('MyHeatmap', (KEYPOINT_CODECS.get('MSRAHeatmap'), ), {})
    codec = msra(input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
    assert flip_shift(codec, {}) is True


def test_models_with_another_head_are_not_checked():
    check_model(nn.Linear(1, 1))
    check_data(None, nn.Linear(1, 1), 'train')


def dataset(folder, kind='HourglassLSPDataset', size=(64, 64), **encoder):
    return dict(
        type=kind, data_root=str(folder), ann_file='a.json', lazy_init=True,
        pipeline=[
            dict(type='TopdownCrop', input_size=size),
            dict(type='GenerateTarget', encoder=dict(CODEC, **encoder)),
            dict(type='PackPoseInputs')])


@pytest.mark.parametrize('options, setting', [
    (dict(kind='HourglassMPIIDataset'), 'out_channels'),
    (dict(size=(128, 128)), 'TopdownCrop'),
    (dict(heatmap_size=(32, 32)), 'heatmap_size'),
    (dict(sigma=2.0), 'sigma'),
    (dict(refinement='subpixel'), 'exact_centers')])
def test_data_that_do_not_fit_the_model_are_refused(tmp_path, options,
                                                    setting):
    estimator = MODELS.build(config())
    check_data(DATASETS.build(dataset(tmp_path)), estimator, 'val')
    part = dataset(tmp_path, **options)
    wrapped = dict(
        type='mmengine.ConcatDataset', datasets=[part], lazy_init=True)
    for built in map(DATASETS.build, (part, wrapped)):
        with pytest.raises(ValueError, match=setting) as raised:
            check_data(built, estimator, 'val')
        assert 'val_dataloader.dataset' in str(raised.value)
