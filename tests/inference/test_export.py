"""Exported files compute the same as the model and its codec."""
import functools
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from hourglass_plugin.codecs import HourglassHeatmap
from hourglass_plugin.compat.versions import can_export_programs
from hourglass_plugin.inference.export import (
    ExportModel,
    describe,
    verify,
    write_file,
)

NAMES = ['left', 'right', 'nose']
META = dict(
    keypoint_id2name=dict(enumerate(NAMES)), flip_indices=[1, 0, 2])
CODEC = dict(
    type='HourglassHeatmap', input_size=(48, 32), heatmap_size=(12, 8))
FEATURES = dict(
    type='StackedHourglass', num_stacks=2, feat_channels=16, depth=1)
NETWORK = dict(FEATURES, num_keypoints=3)
HEAD = dict(type='MultiStageHeatmapHead', out_channels=3, decoder=CODEC)
needs_programs = pytest.mark.skipif(
    not can_export_programs(), reason='torch.export needs torch 2.6')


def exact(output, expected):
    torch.testing.assert_close(output, expected, atol=0, rtol=0)


def pose_model(head=HEAD, backbone=NETWORK, **test_cfg):
    """An estimator of three keypoints on images of 48 x 32."""
    settings = dict(
        type='HourglassPoseEstimator',
        data_preprocessor=dict(
            type='PoseDataPreprocessor', mean=[10, 20, 30],
            std=[255, 250, 245], bgr_to_rgb=True),
        backbone=backbone, head=head, test_cfg=test_cfg)
    torch.manual_seed(0)
    init_default_scope('mmpose')
    model = MODELS.build(settings)
    for name, parameter in model.named_parameters():
        if 'heatmaps' in name:  # not near zero
            nn.init.normal_(parameter, std=0.5)
    model.dataset_meta = META
    pipeline = [dict(type='GetBBoxCenterScale', padding=1.5)]
    model.cfg = Config(dict(
        model=settings, test_dataloader=dict(dataset=dict(pipeline=pipeline))))
    return model.eval()


def refined(refinement):
    return dict(HEAD, decoder=dict(CODEC, refinement=refinement))


def predicted(model, images):
    """Keypoints and scores (B, K, 3) as MMPose computes them."""
    feats = model.extract_feat(images)
    if model.test_cfg.get('flip_test'):
        feats = [feats, model.extract_feat(images.flip(-1))]
    samples = [PoseDataSample(metainfo=META) for _ in images]
    with torch.no_grad():
        people = model.head.predict(feats, samples, model.test_cfg)
    return torch.from_numpy(np.stack([
        np.column_stack([person.keypoints[0], person.keypoint_scores[0]])
        for person in people]))


class Passing(nn.Module):
    """An estimator whose heatmaps are the channels of the image, a cell a
    pixel: what goes into the decoding can be chosen."""

    def __init__(self, refinement):
        super().__init__()
        self.head = nn.Identity()
        self.head.decoder = HourglassHeatmap((12, 10), (12, 10),
                                             refinement=refinement)
        self.data_preprocessor = nn.Identity()
        self.test_cfg, self.dataset_meta = None, META

    def extract_feat(self, image):
        return image


def run_onnx(path, images):
    """Run a file; returns outputs by name."""
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    outputs = session.run(names, {'image': images.numpy()})
    return dict(zip(names, map(torch.from_numpy, outputs)))


@pytest.mark.parametrize('refinement, test_cfg', [
    ('quarter', dict()),
    ('quarter', dict(flip_test=True)),
    ('subpixel', dict(eval_stack=0)),
    ('none', dict())])
def test_keypoints_equal_the_heads(refinement, test_cfg):
    model = pose_model(refined(refinement), **test_cfg)
    flips = test_cfg.get('flip_test', False)
    module = ExportModel(model, decode=True, flip_test=flips)
    images = module.random_images(4)
    exact(module(images), predicted(model, images))
    once = ExportModel(model, decode=True)(images)
    assert torch.equal(once, module(images)) != flips


def test_heatmaps_of_mmposes_heads(tmp_path):
    head = dict(
        type='HeatmapHead', in_channels=16, out_channels=3,
        deconv_out_channels=None,
        decoder=dict(CODEC, type='MSRAHeatmap', sigma=1))
    model = pose_model(head, FEATURES)
    module = ExportModel(model)
    path = tmp_path / 'heatmaps.onnx'
    write_file(module, str(path), {})
    images = module.random_images(2)
    expected = model.head.forward(model.extract_feat(images))
    torch.testing.assert_close(
        run_onnx(path, images)['heatmaps'], expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError):
        ExportModel(model, decode=True)


def test_heads_without_fitting_heatmaps_are_refused():
    no_decoder = pose_model(dict(HEAD, decoder=None))
    regression = pose_model(dict(
        type='RegressionHead', in_channels=16, num_joints=3,
        decoder=dict(type='RegressionLabel', input_size=(48, 32))), FEATURES)
    regression.neck = MODELS.build(dict(type='GlobalAveragePooling'))
    other_size = pose_model()
    other_size.head.decoder.heatmap_size = (24, 16)
    for model in (no_decoder, regression, other_size):
        with pytest.raises(ValueError):
            ExportModel(model)


@pytest.mark.parametrize('refinement', ['quarter', 'none', 'subpixel'])
def test_decoding_by_onnx(refinement, tmp_path):
    """tests/codecs has the numbers by hand."""
    module = ExportModel(Passing(refinement), decode=True)
    path = tmp_path / 'keypoints.onnx'
    write_file(module, str(path), {})
    y, x = torch.meshgrid(torch.arange(10), torch.arange(12), indexing='ij')
    peaks = torch.stack([  # inside, in the corner, between two cells
        height * torch.exp(-((x - column)**2 + (y - row)**2) / 2)
        for height, column, row in ((.8, 6.3, 2.2), (.3, 0, 0), (.5, 4, 7.4))])
    images = torch.stack([torch.zeros_like(peaks), peaks, peaks.flip(0)])
    found = run_onnx(path, images)['keypoints']
    torch.testing.assert_close(found, module(images), atol=1e-5, rtol=0)


def test_onnx_metadata_and_unchanged_model(tmp_path):
    model = pose_model(refined('subpixel')).train()
    module = ExportModel(model, True, True)
    metadata = describe(module, 'my_config.py', 'my.pth')
    path = tmp_path / 'keypoints.onnx'
    written = write_file(module, str(path), metadata, opset=13)
    assert [opset.version for opset in onnx.load(path).opset_import] == [13]
    assert sorted(tmp_path.iterdir()) == [path]
    assert written.shape == (3, 3)
    found = {x.key: x.value for x in onnx.load(path).metadata_props}
    assert found == metadata
    assert found['channel_order'] == 'RGB'
    assert found['config'] == 'my_config.py'
    numbers = dict(
        input_size=[48, 32], heatmap_size=[12, 8], heatmap_stride=[4, 4],
        mean=[10, 20, 30], std=[255, 250, 245], box_padding=1.5,
        keypoint_names=NAMES, flip_test=True)
    assert {name: json.loads(found[name]) for name in numbers} == numbers
    assert all(module.training for module in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())
    weight = model.backbone.stem.conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


@needs_programs
def test_program_for_any_batch_size(tmp_path):
    backbone = dict(NETWORK, num_stacks=1, feat_channels=4)
    module = ExportModel(pose_model(backbone=backbone), decode=True)
    path = tmp_path / 'program.pt2'
    write_file(module, str(path), dict(answer='42'))
    assert sorted(tmp_path.iterdir()) == [path]
    files = {'metadata.json': ''}
    program = torch.export.load(str(path), extra_files=files).module()
    assert json.loads(files['metadata.json']) == dict(answer='42')
    for batch in (1, 7):
        images = module.random_images(batch)
        exact(program(images), module(images))


@pytest.mark.parametrize('decode, change, difference', [
    (False, lambda right: right, 0),
    (True, lambda right: right, 0),
    # Halves and quarters of pixels take an error of rounding.
    (False, lambda right: right + 9e-5, 9e-5),
    (True, lambda right: right + 9e-5, 9e-5),
    (False, lambda right: right + 1.2e-4, None),
    (True, lambda right: right + 1.2e-4, None),
    (False, lambda right: right * float('nan'), None),
    (True, lambda right: right[:0], None),
    # Scores alone, and one keypoint of one person alone.
    (True, lambda right: right * torch.tensor([1, 1, 1.01]), None),
    (True, lambda right: right + torch.eye(3) * (len(right) == 5), None)])
def test_outputs_may_differ_by_a_ten_thousandth(decode, change, difference):
    module = ExportModel(pose_model(), decode)

    def run(images):
        return change(module(images))

    if difference is None:
        with pytest.raises(ValueError):
            verify(run, module)
    else:
        found = verify(run, module).difference
        assert found == pytest.approx(difference, abs=5e-6)


def test_ties_are_not_compared():

    def tied_images(batch, seed):
        """Two keypoints with a peak each, one with two equal ones."""
        images = torch.zeros(batch, 3, 10, 12)
        images[:, 0, 4, 4] = images[:, 1, 6, 8] = 1
        # By its neighbours a quarter cell is added; x = 2.5 or 7.5.
        images[:, 2, 5, 2] = images[:, 2, 5, 7] = 1
        for keypoint, x, y in ((0, 4, 4), (1, 8, 6), (2, 2, 5), (2, 7, 5)):
            images[:, keypoint, y, x + 1] = images[:, keypoint, y + 1, x] = .5
        return images

    module = ExportModel(Passing('quarter'), decode=True)
    module.random_images = tied_images

    def run(images):
        # The other one of two equal maxima.
        right = module(images)
        return right.where(right != 2.5, torch.tensor(7.5))

    found = verify(run, module)
    assert (found.difference, found.compared, found.total) == (0, 18, 27)
    # Without the keypoints that are certain nothing would have been checked.
    module.random_images = lambda batch, seed: torch.zeros(batch, 3, 10, 12)
    with pytest.raises(ValueError):
        verify(run, module)


def test_file_that_differs_is_not_written(tmp_path, monkeypatch):
    older, path = tmp_path / 'older.onnx', tmp_path / 'new.onnx'
    older.write_text('an older one')
    module = ExportModel(pose_model())
    # The file is written with these weights, and compared with others.
    monkeypatch.setattr(ExportModel, 'heatmaps', lambda self, image: (
        1.01 * ExportModel._forward(self, image)))
    export = torch.onnx.export

    @functools.wraps(export)
    def export_others(module, *arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(ExportModel, 'heatmaps', ExportModel._forward)
            export(module, *arguments, **options)

    monkeypatch.setattr(torch.onnx, 'export', export_others)
    for target in (older, path):
        with pytest.raises(ValueError):
            write_file(module, str(target), {})
    assert list(tmp_path.iterdir()) == [older]
    assert older.read_text() == 'an older one'
