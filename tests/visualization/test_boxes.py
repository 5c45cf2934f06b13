"""Boxes on images, and the pictures that the hook writes of them."""
import logging
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from hourglass_plugin.visualization import draw_boxes, save_image
from hourglass_plugin.visualization.box_hook import BoxPictureHook

META = dict(
    classes=('disc', 'triangle'), palette=[(200, 40, 0), (0, 90, 220)])
# Of a JPEG, whose colours are approximate.
COLOR_TOLERANCE = 40


def test_the_line_runs_along_the_boxs_outermost_pixels():
    image = np.zeros((100, 120, 3), np.uint8)
    drawn = draw_boxes(image, np.array([[20., 40., 70., 90.]]), np.array([1]),
                       **META)
    assert image.max() == 0
    blue = np.array([220, 90, 0])
    # The first and the last pixel of 50 each way, and nothing beyond.
    assert (drawn[60, [20, 69]] == blue).all()
    assert (drawn[[40, 89], 60] == blue).all()
    lit = drawn.any(2)
    assert not lit[60, :20].any() and not lit[60, 21:69].any()
    assert not lit[60, 70:].any() and not lit[90:].any()
    # The name is above the box.
    assert lit[30:40, 20:40].any() and not lit[:20].any()


def test_names_stay_inside_the_image():
    image = np.zeros((100, 120, 3), np.uint8)
    drawn = draw_boxes(image, np.array([[100., 0., 120., 20.]]), np.array([0]),
                       **META, scores=np.array([0.5]))
    label = (drawn == (0, 40, 200)).all(2)
    # A filled field at the top that ends at the right edge: "disc 0.50" in
    # letters of 6 pixels.
    assert label[0, 90:].all() and not label[0, :40].any()


def test_the_surest_box_is_on_top():
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[20., 40., 70., 90.]] * 2)
    for scores, color in (([0.9, 0.4], META['palette'][0]),
                          ([0.4, 0.9], META['palette'][1])):
        drawn = draw_boxes(image, boxes, np.array([0, 1]), **META,
                           scores=np.array(scores))
        assert tuple(drawn[60, 20]) == color[::-1]


def sample(path):
    """A sure and an unsure box, and a true one."""
    predicted = InstanceData(
        bboxes=torch.tensor([[10., 20, 30, 40], [60, 20, 80, 40]]),
        labels=torch.tensor([0, 1]),
        scores=torch.tensor([0.8, 0.1]))
    truth = InstanceData(
        bboxes=torch.tensor([[50., 10, 70, 30]]), labels=torch.tensor([0]))

    class Sample(SimpleNamespace):

        def get(self, name):
            return getattr(self, name, None)

    return Sample(
        img_path=str(path), pred_instances=predicted, gt_instances=truth)


def run_test(hook, samples):
    runner = SimpleNamespace(
        test_dataloader=SimpleNamespace(sampler=samples),
        test_evaluator=SimpleNamespace(dataset_meta=META),
        logger=logging.getLogger('test'),
        rank=0)
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, outputs=samples)
    hook.after_test_epoch(runner)


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / 'photo.png'
    save_image(path, np.zeros((50, 100, 3), np.uint8))
    return path


def test_prediction_is_left_and_ground_truth_right(photograph, tmp_path):
    hook = BoxPictureHook(
        enable=True, out_dir=tmp_path / 'out', picture_height=200)
    run_test(hook, [sample(photograph)])
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'photo.jpg', 'sheet.jpg'
    ]
    picture = cv2.imread(str(tmp_path / 'out' / 'photo.jpg')).astype(int)
    # 50 pixels are shown as 200; two white ones between the two.
    assert picture.shape == (200, 2 * 400 + 2, 3)
    assert picture[:, 400:402].min() > 255 - COLOR_TOLERANCE
    color = np.array(META['palette'][0][::-1])
    # Lower edges at 4 * 40 and 4 * 30, in the middle of 10 to 30, 50 to 70.
    for row, column in ((159, 80), (119, 402 + 240)):
        np.testing.assert_allclose(
            picture[row, column], color, atol=COLOR_TOLERANCE)
    # The unsure box is left out.
    assert picture[:, 200:398].max() < COLOR_TOLERANCE


def test_a_lower_threshold_shows_the_unsure_box(photograph, tmp_path):
    hook = BoxPictureHook(
        enable=True, score_thr=0.05, out_dir=tmp_path, picture_height=200)
    run_test(hook, [sample(photograph)])
    picture = cv2.imread(str(tmp_path / 'photo.jpg')).astype(int)
    np.testing.assert_allclose(
        picture[159, 280], META['palette'][1][::-1], atol=COLOR_TOLERANCE)
