"""Poses and heatmaps over images: colours and places derived by hand."""
import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from hourglass_plugin.skeletons import (
    CENTER_COLOR,
    LEFT_COLOR,
    LSP,
    MPII,
    RIGHT_COLOR,
)
from hourglass_plugin.visualization import (
    draw_heatmaps,
    draw_pose,
    skeleton_from_metainfo,
)


def black(height=100, width=100):
    return np.zeros((height, width, 3), np.uint8)


def joints_of(**places):
    """(14, 2) LSP joints at the given places and NaN elsewhere."""
    keypoints = np.full((LSP.num_keypoints, 2), np.nan)
    for name, place in places.items():
        keypoints[LSP.joints.index(name)] = place
    return keypoints


@pytest.mark.parametrize('name, color', [('left_wrist', LEFT_COLOR),
                                         ('right_knee', RIGHT_COLOR),
                                         ('neck', CENTER_COLOR)])
def test_joints_have_the_color_of_their_side(name, color):
    drawn = draw_pose(black(), joints_of(**{name: (30, 60)}), None, LSP)
    assert drawn[60, 30].tolist() == list(color[::-1])
    assert not drawn[:50].any() and not drawn[:, 40:].any()


def test_joints_with_low_scores_and_their_limbs_are_left_out():
    keypoints = joints_of(
        neck=(20, 20), head_top=(20, 80), left_shoulder=(70, 20))
    scores = np.full(LSP.num_keypoints, 0.5)
    scores[LSP.joints.index('head_top')] = 0.49
    drawn = draw_pose(black(), keypoints, scores, LSP, score_threshold=0.5)
    keypoints[LSP.joints.index('head_top')] = np.nan
    np.testing.assert_array_equal(drawn,
                                  draw_pose(black(), keypoints, None, LSP))
    assert drawn[20, 45].any()  # the limb between the other two
    assert not draw_pose(black(), joints_of(), None, LSP).any()


def test_a_joint_far_outside_leaves_the_line_in_the_image():
    # 80 px of the limb are inside; a width for 1e6 px would fill the image.
    drawn = draw_pose(black(), joints_of(neck=(20, 50), head_top=(1e6, 50)),
                      None, LSP)
    assert drawn[50, 25:].tolist() == [list(CENTER_COLOR[::-1])] * 75
    assert not drawn[:45].any() and not drawn[55:].any()


@pytest.mark.parametrize('keypoints, scores', [
    (np.zeros((16, 2)), None), (np.zeros((14, 2)), np.ones(16))])
def test_wrong_shapes_are_refused(keypoints, scores):
    with pytest.raises(ValueError):
        draw_pose(black(), keypoints, scores, LSP)


def test_a_cell_covers_its_pixels():
    heatmaps = np.zeros((1, 8, 8))
    heatmaps[0, 3, 2] = 1
    drawn = draw_heatmaps(black(32, 32), heatmaps).max(axis=2).astype(float)
    rows, columns = np.indices(drawn.shape)
    # Cell 2 covers pixels 8 to 11, whose middle is 9.5; cell 3, 12 to 15.
    middle = [(drawn * axis).sum() / drawn.sum() for axis in (columns, rows)]
    np.testing.assert_allclose(middle, [9.5, 13.5], atol=0.02)


@pytest.mark.parametrize('grey, heat, color', [
    (100, 0, [60, 60, 60]), (100, -1, [60, 60, 60]),
    # The first colour has hue 0, saturation 0.85 and value 1: RGB 255 38 38.
    (0, 1, [30, 30, 204]), (0, 5, [30, 30, 204])])
def test_heat_over_a_darkened_image(grey, heat, color):
    image = np.full((4, 4, 3), grey, np.uint8)
    drawn = draw_heatmaps(image, np.full((1, 1, 1), heat))
    assert (drawn == color).all()


@pytest.mark.parametrize('skeleton', [LSP, MPII])
def test_our_skeletons_are_found_by_their_metainfo(skeleton):
    metainfo = parse_pose_metainfo(skeleton.metainfo())
    assert skeleton_from_metainfo(metainfo) is skeleton


@pytest.mark.parametrize('last, flip_indices', [('right_eye', [0, 2, 1]),
                                                ('tail', [0, 1, 2])])
def test_any_other_skeleton_is_built_from_its_metainfo(last, flip_indices):
    built = skeleton_from_metainfo(
        dict(dataset_name='lsp', skeleton_links=[(1, 0), (0, 2)],
             keypoint_id2name={0: 'nose', 1: 'left_eye', 2: last}))
    assert built.joints == ('nose', 'left_eye', last)
    assert built.limb_indices == [(1, 0), (0, 2)]
    assert built.flip_indices == flip_indices
