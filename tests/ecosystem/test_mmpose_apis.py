"""MMPose's inferencers and functions predict what our tool predicts."""
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model
from mmpose_page import python_block
from pose_configs import TOP_DOWN
from tool_process import run_here, tool_path

from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image

# Ours are written with two decimals, scores with four. Batches of other sizes
# are summed in another order, which may move a maximum a little.
TOLERANCE = [0.005 + 1e-3] * 2 + [5e-5 + 1e-5]
BOXES = np.array([[8, 9, 88, 89], [0, 0, 50, 50]])
IMAGE = 'my_images/val0.png'


@pytest.fixture(scope='module')
def ours(reader, tmp_path_factory):
    """Predictions of tools/predict.py for a folder of images, by name."""
    out = tmp_path_factory.mktemp('ours')

    def predict(name, *boxes):
        run_here(tool_path('predict'), [
            'my_images', 'my_people.py', reader.checkpoint, '--out',
            out / name, '--device', 'cpu', *boxes], reader.folder)
        written = json.loads((out / name / 'predictions.json').read_text())
        assert written['joints'] == list(LSP.joints)
        return {
            image['file']: [person['keypoints'] for person in image['people']]
            for image in written['predictions']}

    return SimpleNamespace(
        whole=predict('whole', '--whole-image'),
        boxes=predict('boxes', '--bbox', *BOXES[0], '--bbox', *BOXES[1]))


@pytest.fixture(scope='module')
def inferencer(reader):
    """One that fetches no detector: the whole image is one person."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reader.folder)
        made = MMPoseInferencer('my_people.py', str(reader.checkpoint),
                                device='cpu')
    assert made.inferencer.detector is None
    return made


def assert_equal(people, expected):
    """MMPose's people of an image are ours, which are written rounded."""
    assert len(people) == len(expected)
    for person, joints in zip(people, expected):
        found = np.column_stack([np.reshape(person['keypoints'], (-1, 2)),
                                 np.ravel(person['keypoint_scores'])])
        assert (np.abs(found - joints) <= TOLERANCE).all()


def test_inferencer_of_any_input_finds_what_our_tool_finds(
        inferencer, ours, here):
    names = sorted(ours.whole)
    assert len(names) == 10
    paths = [f'my_images/{name}' for name in names]
    images = [cv2.imread(path) for path in paths[:2]]
    for given, number in (('my_images', 10), (paths[0], 1), (images, 2)):
        results = list(inferencer(given, batch_size=2))
        assert len(results) == number
        for result, name in zip(results, names):
            assert_equal(result['predictions'][0], ours.whole[name])


def test_inferencer_draws_and_writes(inferencer, ours, here, tmp_path):
    (result, ) = inferencer(
        IMAGE, out_dir=str(tmp_path), draw_heatmap=True, draw_bbox=True,
        kpt_thr=-1.0, return_vis=True)
    drawn = read_image(tmp_path / 'visualizations' / 'val0.png')
    # The pose, and the heatmaps below it; MMPose's pictures are RGB.
    assert drawn.shape == (200, 100, 3)
    assert (drawn[..., ::-1] == result['visualization'][0]).all()
    colors = {LSP.joint_color(joint)[::-1] for joint in LSP.joints}
    # Another joint may have been drawn over it, or the edge of a limb.
    places = np.array(ours.whole['val0.png'])[0, :, :2].astype(int)
    is_drawn = [tuple(drawn[y, x].tolist()) in colors for x, y in places
                if 0 <= x < 100 and 0 <= y < 100]
    assert len(is_drawn) >= 2 and np.mean(is_drawn) > 0.6
    written = json.loads((tmp_path / 'predictions/val0.json').read_text())
    assert_equal(written, ours.whole['val0.png'])


def test_every_config_says_what_inferencers_ask():
    for path in TOP_DOWN:
        config = Config.fromfile(str(path))
        assert config.get('data_mode') == 'topdown', path
        people = config.test_dataloader.dataset
        assert config.get('dataset_type') == people.type, path
        assert 'collate_fn' not in config.test_dataloader, path


@pytest.mark.parametrize('boxes, form', [
    (BOXES.tolist(), 'xyxy'),
    (BOXES - [[0, 0, 8, 9], [0, 0, 0, 0]], 'xywh'),
    (None, 'xyxy'),
])
def test_inference_topdown(reader, here, ours, boxes, form):
    model = init_model('my_people.py', str(reader.checkpoint), device='cpu')
    expected = ours.whole if boxes is None else ours.boxes
    for given in (IMAGE, cv2.imread(IMAGE)):
        samples = inference_topdown(model, given, boxes, form)
        assert_equal([sample.pred_instances for sample in samples],
                     expected['val0.png'])


def test_meta_information_comes_from_checkpoint_or_config(
        reader, here, ours, tmp_path):
    checkpoint = torch.load(reader.checkpoint, weights_only=False)
    checkpoint['meta']['dataset_meta']['dataset_name'] = 'others'
    weights = checkpoint['state_dict']
    path = str(tmp_path / 'a.pth')
    for content, name in ((checkpoint, 'others'), (weights, 'lsp'),
                          (dict(state_dict=weights), 'lsp')):
        torch.save(content, path)
        model = init_model('my_people.py', path, device='cpu')
        assert model.dataset_meta['dataset_name'] == name
        (sample, ) = inference_topdown(model, IMAGE)
        assert_equal([sample.pred_instances], ours.whole['val0.png'])


@pytest.mark.parametrize('part, people', [('MMPoseInferencer', 10),
                                          ('inference_topdown', 2)])
def test_examples_of_the_page(reader, here, capsys, part, people):
    exec(python_block(part), {})
    # Each example prints an array or list of 14 pairs a person.
    printed = capsys.readouterr().out
    assert printed[printed.index('['):].count('[') >= 15 * people
