"""JSON lists of people: pixel conventions, clear errors."""
import numpy as np
from pose_files import entry, write_json

from hourglass_plugin.datasets.readers.pose_json import read_pose_json
from hourglass_plugin.skeletons import LSP, MPII


def test_one_based_files_lose_one_pixel_everywhere(tmp_path):
    path = write_json(tmp_path / 'a.json', [entry(MPII)])
    one_based = read_pose_json(path, MPII, first_pixel=1)[0]
    zero_based = read_pose_json(path, MPII, first_pixel=0)[0]
    assert one_based.center.tolist() == [119, 79]
    assert zero_based.center.tolist() == [120, 80]
    np.testing.assert_allclose(one_based.keypoints + 1, zero_based.keypoints)
    assert one_based.scale == 1.5 and one_based.image == '000000000.jpg'


def test_unannotated_joints(tmp_path):
    seen = [1] * 10 + [0] * 4
    path = write_json(tmp_path / 'a.json', [entry(LSP, joints_vis=seen)])
    person = read_pose_json(path, LSP, first_pixel=0)[0]
    assert person.annotated.tolist() == [True] * 10 + [False] * 4
