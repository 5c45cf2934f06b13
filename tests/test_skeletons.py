"""Skeletons: joints by name, flip pairs, MMPose's metainfo."""
import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from hourglass_plugin.skeletons import FLIC, LSP, MPII, SKELETONS

ALL = pytest.mark.parametrize('skeleton', SKELETONS.values(),
                              ids=list(SKELETONS))


def test_joints_are_in_the_files_order():
    # MPII's joint ids and the columns of FLIC's and LSP's files.
    assert [MPII.joints.index(joint) for joint in (
        'right_ankle', 'left_hip', 'pelvis', 'thorax', 'head_top',
        'right_wrist', 'left_wrist')] == [0, 3, 6, 7, 9, 10, 15]
    assert FLIC.joints[:3] == ('left_shoulder', 'left_elbow', 'left_wrist')
    assert FLIC.joints[6:] == ('left_hip', 'right_hip', 'left_eye',
                               'right_eye', 'nose')
    assert LSP.joints[8:10] == ('right_shoulder', 'left_shoulder')
    assert [s.num_keypoints for s in (MPII, FLIC, LSP)] == [16, 11, 14]
    # The benchmark's mean is without pelvis and thorax.
    assert MPII.mean_indices == [*range(6), *range(8, 16)]
    assert LSP.mean_indices == list(range(14))


@ALL
def test_flipping_twice_is_the_identity(skeleton):
    flip = np.array(skeleton.flip_indices)
    assert (flip[flip] == np.arange(skeleton.num_keypoints)).all()
    for index, joint in enumerate(skeleton.joints):
        other = skeleton.joints[flip[index]]
        assert {joint.split('_')[0], other.split('_')[0]} in (
            {'left', 'right'}, {joint.split('_')[0]})
        assert (other == joint) == (not joint.startswith(('left_', 'right_')))
    # A flipped limb is a limb as well, and every joint is drawn.
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    assert set().union(*limbs) >= set(skeleton.joints) - {'nose'}
    for limb in limbs:
        assert frozenset(map(skeleton.flipped_name, limb)) in limbs


@ALL
def test_metainfo_says_the_same_to_mmpose(skeleton):
    parsed = parse_pose_metainfo(skeleton.metainfo())
    assert parsed['dataset_name'] == skeleton.name
    assert parsed['num_keypoints'] == skeleton.num_keypoints
    assert parsed['flip_indices'] == skeleton.flip_indices
    assert parsed['skeleton_links'] == skeleton.limb_indices
    assert list(parsed['keypoint_id2name'].values()) == list(skeleton.joints)
    assert parsed['upper_body_ids'] == sorted(
        skeleton.indices(skeleton.upper_body))


@ALL
def test_all_names_are_joints(skeleton):
    assert len(set(skeleton.joints)) == len(skeleton.joints)
    for names in (*skeleton.limbs, *skeleton.evaluated.values(),
                  skeleton.mean_excludes, skeleton.torso):
        skeleton.indices(names)
    with pytest.raises(ValueError):
        skeleton.indices(['tail'])


def test_torso_size():
    keypoints = np.zeros((11, 2))
    keypoints[FLIC.joints.index('right_shoulder')] = 3, 4
    annotated = np.ones(11, bool)
    assert FLIC.torso_size(keypoints, annotated) == 5
    annotated[FLIC.joints.index('left_hip')] = False
    assert np.isnan(FLIC.torso_size(keypoints, annotated))
    assert np.isnan(FLIC.torso_size(0 * keypoints, np.ones(11, bool)))
    with pytest.raises(ValueError):
        MPII.torso_size(np.zeros((16, 2)), np.ones(16, bool))
