"""Heatmaps of a report are those of the model as it was."""
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from hourglass_plugin.report.pictures import predict_heatmaps
from hourglass_plugin.skeletons import LSP

CODEC = dict(type='LSPHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
RESNET = dict(type='ResNet', depth=18)
#: Parts of models.
HOURGLASS = dict(
    backbone=dict(type='StackedHourglass', num_stacks=2, feat_channels=8),
    head=dict(type='MultiStageHeatmapHead', in_channels=8, num_stages=2,
              out_channels=14, decoder=CODEC),
    test_cfg=dict(flip_test=True))
HEATMAPS = dict(
    backbone=RESNET,
    head=dict(type='HeatmapHead', in_channels=512, out_channels=14,
              decoder=CODEC),
    test_cfg=dict(flip_test=False))
REGRESSION = dict(
    backbone=RESNET,
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='RegressionHead', in_channels=512, num_joints=14,
              decoder=dict(type='RegressionLabel', input_size=(64, 64))),
    test_cfg=dict(flip_test=False))


def build_model(parts):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    return MODELS.build(dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor'), **parts))


@pytest.fixture
def dataset():
    """One person; the crop is half as large as what it shows."""
    crop = np.random.RandomState(0).randint(0, 255, (64, 64, 3), np.uint8)
    sample = PoseDataSample(
        metainfo=dict(
            id=0, img_path='photo.jpg', flip_indices=LSP.flip_indices,
            input_size=(64, 64), input_center=np.array([100., 50.]),
            input_scale=np.array([128., 128.])))
    sample.gt_instances = InstanceData(
        bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
    inputs = torch.from_numpy(np.moveaxis(crop, -1, 0).copy())
    return [dict(inputs=inputs, data_samples=sample)]


@pytest.mark.parametrize('parts, stacks', [(HOURGLASS, 2), (HEATMAPS, 1)])
def test_heatmaps_are_those_of_the_model_as_it_was(parts, stacks, dataset):
    model = build_model(parts).eval()
    settings = model.test_cfg
    found = predict_heatmaps(model, dataset, 0)
    assert model.test_cfg is settings
    assert [maps.shape for maps in found.stacks] == [(14, 16, 16)] * stacks
    np.testing.assert_array_equal(
        found.crop, np.moveaxis(np.asarray(dataset[0]['inputs']), 0, -1))
    # The head itself.
    data = model.data_preprocessor(
        {name: [value] for name, value in dataset[0].items()}, False)
    with torch.no_grad():
        *_, expected = model.head(model.extract_feat(data['inputs']))
    if parts is HEATMAPS:
        np.testing.assert_allclose(
            found.stacks[0], expected, rtol=0, atol=1e-6)
    else:  # averaged with the flipped image
        assert np.abs(found.stacks[-1] - expected[0].numpy()).max() > 1e-6


def test_a_model_without_heatmaps(dataset):
    model = build_model(REGRESSION).eval()
    assert predict_heatmaps(model, dataset, 0) is None
