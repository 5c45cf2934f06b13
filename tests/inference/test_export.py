"""Exported files compute the same as the model and its codec."""
import json
from pathlib import Path

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
NETWORK = dict(
    type='StackedHourglass', num_stacks=2, feat_channels=16, depth=1)


def pose_model(refinement='quarter', head=None, backbone=None, **test_cfg):
    """An estimator of three keypoints on images of 48 x 32."""
    codec = dict(CODEC, refinement=refinement)
    settings = dict(
        type='HourglassPoseEstimator',
        data_preprocessor=dict(
            type='PoseDataPreprocessor',
            mean=[10, 20, 30],
            std=[255, 250, 245],
            bgr_to_rgb=True),
        backbone=dict(backbone or dict(NETWORK, num_keypoints=3)),
        head=head or dict(
            type='MultiStageHeatmapHead', out_channels=3, decoder=codec),
        test_cfg=test_cfg)
    torch.manual_seed(0)
    init_default_scope('mmpose')
    model = MODELS.build(Config(dict(model=settings)).model)
    for stack in getattr(model.backbone, 'stacks', []):
        if stack.heatmaps is not None:
            stack.heatmaps.reset_parameters()  # not near zero
    for convolution in getattr(model.head, 'heatmaps', None) or []:
        convolution.reset_parameters()
    model.dataset_meta = META
    model.cfg = Config(
        dict(
            model=settings,
            test_dataloader=dict(
                dataset=dict(pipeline=[
                    dict(type='GetBBoxCenterScale', padding=1.5)
                ]))))
    return model.eval()


def predicted(model, images):
    """Keypoints and scores (B, K, 3) as MMPose computes them."""
    feats = model.extract_feat(images)
    if model.test_cfg.get('flip_test'):
        feats = [feats, model.extract_feat(images.flip(-1))]
    samples = [PoseDataSample(metainfo=META) for _ in images]
    with torch.no_grad():
        people = model.head.predict(feats, samples, model.test_cfg)
    return torch.from_numpy(
        np.stack([
            np.column_stack([person.keypoints[0], person.keypoint_scores[0]])
            for person in people
        ]))


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


@pytest.mark.parametrize('refinement', ['quarter', 'subpixel', 'none'])
@pytest.mark.parametrize('test_cfg', [dict(), dict(eval_stack=0)])
def test_keypoints_equal_the_heads(refinement, test_cfg):
    model = pose_model(refinement, **test_cfg)
    module = ExportModel(model, decode=True)
    images = module.random_images(4)
    torch.testing.assert_close(
        module(images), predicted(model, images), atol=0, rtol=0)


def test_flip_test_equals_the_heads():
    model = pose_model(flip_test=True)
    module = ExportModel(model, decode=True, flip_test=True)
    images = module.random_images(4)
    torch.testing.assert_close(
        module(images), predicted(model, images), atol=0, rtol=0)
    once = ExportModel(model, decode=True)(images)
    assert not torch.equal(once, module(images))


@pytest.mark.parametrize('eval_all_stacks', [False, True])
def test_head_with_convolutions(eval_all_stacks):
    model = pose_model(
        backbone=NETWORK,
        head=dict(
            type='MultiStageHeatmapHead',
            in_channels=16,
            num_stages=2,
            out_channels=3,
            decoder=CODEC))
    module = ExportModel(model, eval_all_stacks=eval_all_stacks)
    images = module.random_images(2)
    first, last = [
        convolution(x) for convolution, x in zip(model.head.heatmaps,
                                                 model.backbone(images))
    ]
    outputs = module(images) if eval_all_stacks else (module(images), )
    names = ['heatmaps_stack_1', 'heatmaps_stack_2']
    assert module.output_names == (
        names if eval_all_stacks else ['heatmaps'])
    stacks = (first, last) if eval_all_stacks else (last, )
    for output, expected in zip(outputs, stacks):
        torch.testing.assert_close(output, expected)


def mmpose_head(kind, **settings):
    return dict(
        type=kind,
        in_channels=16,
        decoder=dict(
            type='MSRAHeatmap',
            input_size=(48, 32),
            heatmap_size=(12, 8),
            sigma=1),
        **settings)


def test_heatmaps_of_mmposes_heads(tmp_path):
    model = pose_model(
        backbone=NETWORK,
        head=mmpose_head(
            'HeatmapHead', out_channels=3, deconv_out_channels=None))
    module = ExportModel(model)
    path = tmp_path / 'heatmaps.onnx'
    write_file(module, str(path), {})
    images = module.random_images(2)
    expected = model.head.forward(model.extract_feat(images))
    torch.testing.assert_close(
        run_onnx(path, images)['heatmaps'], expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError):
        ExportModel(model, decode=True)


@pytest.mark.parametrize('head', [
    dict(type='MultiStageHeatmapHead', out_channels=3),  # no decoder
    dict(
        mmpose_head('RegressionHead', num_joints=3),
        decoder=dict(type='RegressionLabel', input_size=(48, 32))),
])
def test_heads_without_heatmaps_are_refused(head):
    features = head['type'] == 'RegressionHead'
    model = pose_model(
        head=head, backbone=NETWORK if features else None)
    if features:
        model.neck = MODELS.build(dict(type='GlobalAveragePooling'))
    with pytest.raises(ValueError):
        ExportModel(model)


def test_heatmaps_of_another_size_are_refused():
    model = pose_model()
    model.head.decoder.heatmap_size = (24, 16)
    with pytest.raises(ValueError) as raised:
        ExportModel(model)
    assert '(1, 3, 16, 24)' in str(raised.value)


def run_onnx(path, images):
    """Run a file; returns outputs by name."""
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    outputs = session.run(names, {'image': images.numpy()})
    return dict(zip(names, map(torch.from_numpy, outputs)))


@pytest.mark.parametrize('refinement, expected', [
    # Cell (4, 3), its middle at 4.5, a quarter to the right and upwards; the
    # corner's cell has no two neighbours.
    ('quarter', [[4.75, 3.25], [0.5, 0.5], [6.75, 2.75]]),
    ('none', [[4.5, 3.5], [0.5, 0.5], [6.5, 2.5]]),
    # Cell c has its middle on pixel c then. By hand, along one axis, from the
    # logarithms l, m, r: (r - l) / 2 / (2 m - l - r).
    ('subpixel', [
        [4 + np.log(.5 / .25) / 2 / np.log(.8**2 / .5 / .25),
         3 - np.log(.5 / .25) / 2 / np.log(.8**2 / .5 / .25)],
        [0.0, 0.0],
        [6.3, 2.2],
    ]),
])  # yapf: disable
def test_chosen_heatmaps_through_onnx(refinement, expected, tmp_path):
    path = tmp_path / 'keypoints.onnx'
    write_file(
        ExportModel(Passing(refinement), decode=True), str(path), {})
    along_x = torch.zeros(12)
    along_x[3:6] = torch.tensor([.25, .8, .5])
    along_y = torch.zeros(10)
    along_y[2:5] = torch.tensor([.5, .8, .25])
    image = torch.zeros(3, 10, 12)
    image[0] = along_y[:, None] * along_x / .8
    image[1, 0, 0] = .3
    y, x = torch.meshgrid(torch.arange(10), torch.arange(12), indexing='ij')
    image[2] = .9 * torch.exp(-((x - 6.3)**2 + (y - 2.2)**2) / 2)
    images = torch.stack([torch.zeros_like(image), image, image.flip(0)])
    found = run_onnx(path, images)['keypoints']
    np.testing.assert_allclose(found[1, :, :2], expected, atol=1e-5)
    scores = [.8, .3, image[2].max().item()]
    np.testing.assert_allclose(found[1, :, 2], scores, rtol=1e-6)
    np.testing.assert_array_equal(found[2], found[1].flip(0))
    assert (found[0, :, 2] == 0).all()


def test_onnx_metadata(tmp_path):
    module = ExportModel(pose_model('subpixel'), True, True, True)
    metadata = describe(module, 'my_config.py', 'my.pth')
    path = tmp_path / 'keypoints.onnx'
    written = write_file(module, str(path), metadata)
    assert sorted(tmp_path.iterdir()) == [path]
    assert written.size == path.stat().st_size
    assert written.outputs == dict(
        keypoints_stack_1=(3, 3), keypoints_stack_2=(3, 3))
    model = onnx.load(path)
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert found == metadata
    assert found['channel_order'] == 'RGB'
    assert found['config'] == 'my_config.py'
    numbers = {
        name: json.loads(found[name])
        for name in ('input_size', 'heatmap_size', 'heatmap_stride', 'mean',
                     'std', 'box_padding', 'keypoint_names', 'flip_test')
    }
    assert numbers == dict(
        input_size=[48, 32],
        heatmap_size=[12, 8],
        heatmap_stride=[4, 4],
        mean=[10, 20, 30],
        std=[255, 250, 245],
        box_padding=1.5,
        keypoint_names=NAMES,
        flip_test=True)


@pytest.mark.skipif(
    not can_export_programs(), reason='torch.export needs torch 2.6')
def test_program_for_any_batch_size(tmp_path):
    module = ExportModel(
        pose_model(
            'subpixel', backbone=dict(NETWORK, num_keypoints=3, num_stacks=1)),
        decode=True)
    path = tmp_path / 'program.pt2'
    write_file(module, str(path), dict(answer='42'))
    assert sorted(tmp_path.iterdir()) == [path]
    files = {'metadata.json': ''}
    program = torch.export.load(str(path), extra_files=files).module()
    assert json.loads(files['metadata.json']) == dict(answer='42')
    for batch in (1, 7):
        images = module.random_images(batch)
        # The same operators.
        torch.testing.assert_close(
            program(images), module(images), atol=0, rtol=0)


@pytest.mark.skipif(
    not can_export_programs(), reason='torch.export needs torch 2.6')
def test_arguments_of_aot_inductor(tmp_path, monkeypatch):
    """Compiling takes a minute, so that the model stands for the package."""
    module = ExportModel(pose_model())
    path, called = tmp_path / 'model.pt2', {}

    def write_package(program, package_path, inductor_configs):
        called.update(program=program, **inductor_configs)
        Path(package_path).write_text('package')

    def fail(*args, **kwargs):
        raise RuntimeError('No working C++ compiler found\nand so on')

    inductor = torch._inductor
    monkeypatch.setattr(torch.export, 'export', lambda *_, **__: 'program')
    monkeypatch.setattr(inductor, 'aoti_compile_and_package', write_package)
    monkeypatch.setattr(inductor, 'aoti_load_package', lambda path: module)
    written = write_file(module, str(path), dict(answer='42'), compiled=True)
    assert called == {
        'program': 'program',
        'aot_inductor.metadata': dict(answer='42')
    }
    assert written.size == len('package') == path.stat().st_size
    path.unlink()
    monkeypatch.setattr(inductor, 'aoti_compile_and_package', fail)
    with pytest.raises(ValueError) as raised:
        write_file(module, str(path), {}, compiled=True)
    assert str(raised.value).endswith('No working C++ compiler found')
    assert not list(tmp_path.iterdir())


def test_model_is_not_changed(tmp_path):
    model = pose_model().train()
    write_file(
        ExportModel(model), str(tmp_path / 'model.onnx'), {})
    assert all(module.training for module in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())
    weight = model.backbone.stem.conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('decode', [False, True])
def test_outputs_may_differ_by_a_ten_thousandth(decode):
    module = ExportModel(pose_model(), decode)

    def verify_with(change):
        return verify(lambda images: module(images) + change, module)

    assert verify_with(0).difference == 0
    # Halves and quarters of pixels take an error of rounding.
    assert verify_with(9e-5).difference == pytest.approx(9e-5, abs=5e-6)
    for change in (1.2e-4, float('nan')):
        with pytest.raises(ValueError):
            verify_with(change)


@pytest.mark.parametrize('wrong, named', [
    (lambda right: [], '0 outputs'),
    (lambda right: [right[:1]], '(1, 3, 3)'),
    # Scores alone, and one keypoint of one person alone.
    (lambda right: right * torch.tensor([1, 1, 1.01]), 'keypoints'),
    (lambda right: right + torch.eye(3) * (len(right) == 5), 'batch of 5'),
])
def test_wrong_outputs_are_refused(wrong, named):
    module = ExportModel(pose_model(), decode=True)
    with pytest.raises(ValueError) as raised:
        verify(lambda images: wrong(module(images)), module)
    assert named in str(raised.value)


def test_ties_are_not_compared():
    module = ExportModel(Passing('quarter'), decode=True)
    module.random_images = tied_images

    def run(images):
        # The other one of two equal maxima.
        right = module(images)
        return [right.where(right != 2.5, torch.tensor(7.5))]

    found = verify(run, module)
    assert (found.difference, found.compared, found.total) == (0, 18, 27)

    # Without the keypoints that are certain nothing would have been checked.
    module.random_images = lambda batch, seed: torch.zeros(batch, 3, 10, 12)
    with pytest.raises(ValueError):
        verify(run, module)


def tied_images(batch, seed):
    """Two keypoints with a peak each, one with two equal ones."""
    images = torch.zeros(batch, 3, 10, 12)
    images[:, 0, 4, 4] = images[:, 1, 6, 8] = 1
    # Neighbours say that it is a quarter cell that is added; x = 2.5 or 7.5.
    images[:, 2, 5, 2] = images[:, 2, 5, 7] = 1
    for keypoint, x, y in ((0, 4, 4), (1, 8, 6), (2, 2, 5), (2, 7, 5)):
        images[:, keypoint, y, x + 1] = images[:, keypoint, y + 1, x] = .5
    return images


@pytest.mark.parametrize('existing', [False, True])
def test_file_that_differs_is_not_written(existing, tmp_path, monkeypatch):
    path = tmp_path / 'model.onnx'
    if existing:
        path.write_text('an older one')
    save = onnx.save

    def save_damaged(model, name):
        for weights in model.graph.initializer:
            values = onnx.numpy_helper.to_array(weights)
            if values.ndim == 4:
                weights.CopyFrom(
                    onnx.numpy_helper.from_array(values * 1.01, weights.name))
        save(model, name)

    monkeypatch.setattr(onnx, 'save', save_damaged)
    with pytest.raises(ValueError):
        write_file(ExportModel(pose_model()), str(path), {})
    assert [file.name for file in tmp_path.iterdir()
            ] == (['model.onnx'] if existing else [])
    if existing:
        assert path.read_text() == 'an older one'
