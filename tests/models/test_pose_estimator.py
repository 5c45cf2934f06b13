"""The flip test in one batch."""
import numpy as np
import pytest
import torch
from small_estimator import assert_same, build, predict


def noted_batches(model):
    """The sizes of the batches that the network is given."""
    batches = []
    forward = model.backbone.forward

    def noting(image):
        batches.append(len(image))
        return forward(image)

    model.backbone.forward = noting
    return batches


@pytest.mark.parametrize('threads, batches', [(4, [6]), (3, [3, 3])])
def test_flip_test_is_mmposes(threads, batches, monkeypatch):
    expected = predict(build('TopdownPoseEstimator', flip_test=True))
    model = build(flip_test=True)
    noted = noted_batches(model)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: threads)
    assert_same(predict(model), expected)
    assert noted == batches
    # The flipped image counts.
    plain = predict(build())
    assert any(
        not np.allclose(one.keypoint_scores, other.keypoint_scores)
        for one, other in zip(plain, expected))


def test_an_image_alone_is_as_among_others():
    """A loader's last batch may be one image, where others have several."""
    # The last bits differ if the sums are long enough.
    model = build(channels=128, flip_test=True)
    alone, = predict(model, 1)
    among_others = predict(model, 3)[0]
    np.testing.assert_array_equal(alone.keypoints, among_others.keypoints)
    np.testing.assert_array_equal(alone.keypoint_scores,
                                  among_others.keypoint_scores)
