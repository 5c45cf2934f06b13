"""Windows, boxes and reduced images of the search for a person."""
import numpy as np

from hourglass_plugin.inference.person_search import (
    box_around,
    find_person,
    search_windows,
)


def test_windows_by_hand():
    windows = search_windows(100, 100)
    sides = windows[:, 2] - windows[:, 0]
    # Sides 80, 50 and 32. Between the first and the last window lie 20, 50
    # and 68 pixels, in steps of at most 52.8, 33 and 21.1: 1, 2 and 4 steps.
    assert [np.isclose(sides, side).sum() for side in (80, 50, 32)] == [
        4, 9, 25]
    np.testing.assert_allclose(
        windows[4:7],
        [[0, 0, 50, 50], [25, 0, 75, 50], [50, 0, 100, 50]], atol=1e-5)
    # 240 pixels, in the middle of the 40; 60 pixels are one step.
    np.testing.assert_allclose(
        search_windows(300, 40)[:2],
        [[0, -100, 240, 140], [60, -100, 300, 140]], atol=1e-4)


def test_box_around_joints_by_hand():
    # 20 wide, 40 high, around (20, 30): a square of 1.15 * 40 = 46.
    joints = np.array([[10.0, 30.0], [30.0, 10.0], [20.0, 50.0]])
    np.testing.assert_allclose(box_around(joints), [-3, 7, 43, 53], rtol=1e-6)
    # All joints at one place still have a box of a pixel.
    np.testing.assert_allclose(
        box_around(np.full((3, 2), 5.0)), [4.5, 4.5, 5.5, 5.5])


class BrightPerson:
    """Finds the corners of what is white in a box; sure where it fits."""

    def __init__(self):
        self.sides = []

    def __call__(self, image, boxes):
        y, x = np.nonzero(image[..., 0] > 127)
        joints, scores = [], []
        for left, top, right, bottom in boxes:
            inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
            low, high, score = [left, top], [right, bottom], 0
            if inside.sum() > 1:
                low = np.array([x[inside].min(), y[inside].min()])
                high = np.array([x[inside].max(), y[inside].max()])
                # All of it in a box that is little larger.
                score = inside.mean() * (high - low).max() / (right - left)
            self.sides.append(right - left)
            joints.append([low, high])
            scores.append([score, score])
        return np.array(joints, float), np.array(scores, float)


def test_a_person_is_found_in_a_large_image():
    image = np.zeros((900, 1600, 3), np.uint8)
    image[400:640, 1000:1080] = 255  # multiples of 8, as reduced cells are
    predict = BrightPerson()
    box = find_person(image, predict, input_side=64)
    # 240 pixels: twice reduced to 60, which is as many as the input has. The
    # outermost of 4 x 4 pixels lie 1.5 from their middle: 236 of 239 pixels.
    np.testing.assert_allclose(
        (box[:2] + box[2:]) / 2, [1039.5, 519.5], atol=1e-4)
    np.testing.assert_allclose(box[2:] - box[:2], 1.15 * 236, rtol=1e-5)
    assert max(predict.sides) < 2 * 64 * 2  # never far too many


def test_small_images_are_not_enlarged():
    image = np.zeros((50, 60, 3), np.uint8)
    image[10:41, 20:31] = 255
    box = find_person(image, BrightPerson(), input_side=128)
    # 30 pixels between the outermost ones, around (25, 25).
    np.testing.assert_allclose(
        box, [25 - 17.25, 25 - 17.25, 25 + 17.25, 25 + 17.25], rtol=1e-6)
