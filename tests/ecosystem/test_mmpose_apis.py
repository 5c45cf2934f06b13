"""MMPose's inferencers and functions predict what our tool predicts."""
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.apis import (
    MMPoseInferencer,
    Pose2DInferencer,
    inference_topdown,
    init_model,
)
from mmpose_page import ROOT, python_block, run_here
from pose_configs import TOP_DOWN

from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image

# Ours are written with two decimals, scores with four. Batches of other sizes
# are summed in another order, which may move a maximum a little.
PIXELS = 0.005 + 1e-3
SCORES = 5e-5 + 1e-5


@pytest.fixture(scope='module')
def ours(reader, tmp_path_factory):
    """What tools/predict.py finds in the folder of photographs, by name."""
    out = tmp_path_factory.mktemp('ours')

    def predict(name, *boxes):
        run_here(
            ROOT / 'tools' / 'predict.py',
            ['photographs', 'my_people.py', reader.checkpoint, '--out',
             out / name, '--device', 'cpu', *boxes], reader.folder)
        written = json.loads((out / name / 'predictions.json').read_text())
        assert written['joints'] == list(LSP.joints)
        return {
            image['file']: np.array(
                [person['keypoints'] for person in image['people']])
            for image in written['predictions']
        }

    return SimpleNamespace(
        whole=predict('whole', '--whole-image'),
        boxes=predict('boxes', '--bbox', 8, 9, 88, 89, '--bbox', 0, 0, 50,
                      50))


@pytest.fixture(scope='module')
def inferencer(reader):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reader.folder)
        return MMPoseInferencer(
            pose2d='my_people.py',
            pose2d_weights=str(reader.checkpoint),
            device='cpu')


def assert_equal(people, expected):
    """MMPose's people of an image are ours, which are written rounded."""
    assert len(people) == len(expected)
    for person, joints in zip(people, expected):
        np.testing.assert_allclose(
            person['keypoints'], joints[:, :2], atol=PIXELS)
        np.testing.assert_allclose(
            person['keypoint_scores'], joints[:, 2], atol=SCORES)


def test_inferencer_of_any_input_finds_what_our_tool_finds(
        inferencer, ours, here):
    names = sorted(ours.whole)
    assert len(names) == 10
    paths = [f'photographs/{name}' for name in names]
    images = [cv2.imread(path) for path in paths]
    for given, found in (('photographs', names), (paths[0], names[:1]),
                         (paths[:3], names[:3]), (images[0], names[:1]),
                         (images[:2], names[:2])):
        results = list(inferencer(given, batch_size=2))
        assert len(results) == len(found)
        for result, name in zip(results, found):
            (people, ) = result['predictions']
            assert_equal(people, ours.whole[name])


def test_inferencer_draws_and_writes(inferencer, ours, here, tmp_path):
    (result, ) = inferencer(
        'photographs/val0.png', out_dir=str(tmp_path), draw_heatmap=True,
        draw_bbox=True, kpt_thr=-1.0, return_vis=True)
    drawn = read_image(tmp_path / 'visualizations' / 'val0.png')
    # The pose, and the heatmaps below it; MMPose's pictures are RGB.
    assert drawn.shape == (200, 100, 3)
    assert (drawn[..., ::-1] == result['visualization'][0]).all()
    colors = {LSP.joint_color(joint)[::-1] for joint in LSP.joints}
    # Another joint may have been drawn over it, or the edge of a limb.
    is_drawn = [
        tuple(drawn[y, x].tolist()) in colors
        for x, y, _ in ours.whole['val0.png'][0].astype(int)
        if 0 <= x < 100 and 0 <= y < 100
    ]
    assert len(is_drawn) >= 7 and np.mean(is_drawn) > 0.6
    written = json.loads(
        (tmp_path / 'predictions' / 'val0.json').read_text())
    assert_equal(written, ours.whole['val0.png'])
    # Heatmaps were asked for once.
    (result, ) = inferencer('photographs/val0.png', return_datasamples=True)
    assert 'pred_fields' not in result['predictions'][0]


@pytest.mark.parametrize('det_model', [None, 'whole_image'])
def test_the_whole_image_is_one_person(reader, here, ours, det_model):
    """No detector is fetched for our data sets."""
    inferencer = Pose2DInferencer(
        Config.fromfile('my_people.py'),
        str(reader.checkpoint),
        device='cpu',
        det_model=det_model)
    assert inferencer.detector is None
    (result, ) = inferencer('photographs/val0.png')
    assert_equal(result['predictions'][0], ours.whole['val0.png'])


def test_people_of_a_detector(reader, here, ours):
    """MMDetection's detectors need mmcv's operators; one that answers alike
    finds two people, a doubtful one and something else."""
    inferencer = Pose2DInferencer(
        'my_people.py', str(reader.checkpoint), device='cpu')
    found = InstanceData(
        bboxes=torch.tensor([[8., 9, 88, 89], [0, 0, 50, 50],
                             [50, 50, 99, 99], [0, 50, 50, 99]]),
        scores=torch.tensor([0.9, 0.8, 0.1, 0.7]),
        labels=torch.tensor([0, 0, 0, 3]))
    inferencer.detector = lambda image, return_datasamples: dict(
        predictions=[SimpleNamespace(pred_instances=found)])
    inferencer.det_cat_ids = (0, )
    (result, ) = inferencer('photographs/val0.png', bbox_thr=0.3)
    people = result['predictions'][0]
    assert_equal(people, ours.boxes['val0.png'])
    assert [person['bbox_score'] for person in people] == pytest.approx(
        [0.9, 0.8])


def test_every_config_says_what_inferencers_ask():
    for path in TOP_DOWN:
        config = Config.fromfile(str(path))
        assert config.get('data_mode') == 'topdown', path
        people = config.test_dataloader.dataset
        assert config.get('dataset_type') == people.type, path
        assert 'collate_fn' not in config.test_dataloader, path


@pytest.mark.parametrize('boxes, form', [
    ([[8, 9, 88, 89], [0, 0, 50, 50]], 'xyxy'),
    (np.array([[8, 9, 88, 89], [0, 0, 50, 50]], np.float32), 'xyxy'),
    (np.array([[8, 9, 80, 80], [0, 0, 50, 50]]), 'xywh'),
    (None, 'xyxy'),
])
def test_inference_topdown(reader, here, ours, boxes, form):
    model = init_model('my_people.py', str(reader.checkpoint), device='cpu')
    expected = ours.whole if boxes is None else ours.boxes
    image = cv2.imread('photographs/val0.png')
    for given in ('photographs/val0.png', image):
        samples = inference_topdown(model, given, boxes, form)
        assert_equal([
            dict(
                keypoints=sample.pred_instances.keypoints[0],
                keypoint_scores=sample.pred_instances.keypoint_scores[0])
            for sample in samples
        ], expected['val0.png'])


def test_meta_information_comes_from_checkpoint_or_config(
        reader, here, ours, tmp_path):
    checkpoint = torch.load(reader.checkpoint, weights_only=False)
    checkpoint['meta']['dataset_meta']['dataset_name'] = 'others'
    names = {}
    for name, content in (('changed', checkpoint),
                          ('weights',
                           dict(state_dict=checkpoint['state_dict'])),
                          ('plain', checkpoint['state_dict'])):
        path = str(tmp_path / f'{name}.pth')
        torch.save(content, path)
        model = init_model('my_people.py', path, device='cpu')
        (sample, ) = inference_topdown(model, 'photographs/val0.png')
        names[name] = model.dataset_meta['dataset_name']
        np.testing.assert_allclose(
            sample.pred_instances.keypoints[0],
            ours.whole['val0.png'][0, :, :2],
            atol=PIXELS)
        inferencer = MMPoseInferencer('my_people.py', path, device='cpu')
        (result, ) = inferencer('photographs/val0.png')
        assert_equal(result['predictions'][0], ours.whole['val0.png'])
    assert names == dict(changed='others', weights='lsp', plain='lsp')


@pytest.mark.parametrize('part, people', [('MMPoseInferencer', 10),
                                          ('inference_topdown', 2)])
def test_examples_of_the_page(reader, here, capsys, part, people):
    exec(python_block(part), {})
    # Each example prints an array or list of 14 pairs a person.
    printed = capsys.readouterr().out
    numbers = printed[printed.index('['):].count('[')
    assert numbers >= 15 * people
