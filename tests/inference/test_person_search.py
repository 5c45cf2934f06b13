"""Windows, boxes and reduced images of the search for people."""
import numpy as np
import torch

from hourglass_plugin.inference.person_search import (
    PersonJudge,
    find_people,
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
    image[400:648, 992:1080] = 255  # multiples of 8, as reduced pixels are
    predict = BrightPerson()
    (box, *_), _ = find_people(image, predict, input_side=200 / 3)
    # 248 pixels, reduced to 31: the outermost of 8 x 8 pixels lie 3.5 from
    # their middle, 240 of 247 pixels.
    np.testing.assert_allclose(
        (box[:2] + box[2:]) / 2, [1035.5, 523.5], atol=1e-4)
    np.testing.assert_allclose(
        box[2:] - box[:2], [80 + 0.15 * 240, 1.15 * 240], rtol=1e-5)
    assert max(predict.sides) <= 200


def test_everybody_is_found_once():
    people = np.array([[20, 30, 60, 90], [100, 10, 130, 95]], np.float32)

    def predict(_, boxes):
        """The corners of the next person, certain in a box that has them."""
        centers = (boxes[:, :2] + boxes[:, 2:]) / 2
        distances = np.linalg.norm(
            centers[:, None] - (people[:, :2] + people[:, 2:]) / 2, axis=2)
        corners = people[distances.argmin(1)].reshape(-1, 2, 2)
        inside = (corners >= boxes[:, None, :2]) & (
            corners <= boxes[:, None, 2:])
        return corners, inside.all(2).astype(np.float32)

    def judge(_, keypoints, scores):
        return keypoints.flatten(1), 10 * scores.mean(1) - 9

    image = np.zeros((120, 160, 3), np.uint8)
    found, confidences = find_people(image, predict, 64, judge)
    assert sorted(found[:2].tolist()) == people.tolist()
    assert (confidences > 0.7).sum() == 2


def test_judged_box_by_hand():
    judge = PersonJudge(2).eval()
    for parameter in judge.parameters():
        parameter.data.zero_()
    judge.layers[-1].bias.data = torch.tensor([3, -0.1, -0.2, 0.3, 0.4])
    boxes, logits = judge(torch.tensor([[10.0, 20, 30, 60]]),
                          torch.zeros(1, 2, 2), torch.ones(1, 2))
    # In sides of 40 pixels, from the center (20, 40).
    torch.testing.assert_close(boxes, torch.tensor([[16.0, 32, 32, 56]]))
    assert logits.tolist() == [3]
