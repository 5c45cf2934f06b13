"""The mean pose of two people, by hand."""
import numpy as np
from mean_pose import mean_pose, place_pose


def test_mean_of_places_in_the_box():
    keypoints = np.array([[[10, 30], [0, 0]], [[140, 100], [100, 50]]], float)
    centers = np.array([[20, 20], [100, 100]], float)
    scales = np.array([[20, 40], [80, 100]], float)
    annotated = np.array([[1, 0], [1, 1]])
    # Joint 0: (-0.5, 0.25) and (0.5, 0); joint 1: (0, -0.5), the second alone.
    pose = mean_pose(keypoints, annotated, centers, scales)
    np.testing.assert_allclose(pose, [[0, 0.125], [0, -0.5]])
    np.testing.assert_allclose(
        place_pose(pose, np.array([10., 10.]), np.array([40., 80.])),
        [[10, 20], [10, -30]])


def test_joints_without_annotation_are_nan():
    pose = mean_pose(
        np.zeros((1, 2, 2)), np.array([[1, 0]]), np.zeros((1, 2)),
        np.ones((1, 2)))
    assert np.isnan(pose).tolist() == [[False, False], [True, True]]
