"""LSP's and LSP extended's joints.mat, and MPII-style JSON."""
import numpy as np
import pytest
from pose_files import entry, write_json
from scipy.io import savemat

from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.skeletons import LSP

WRIST = LSP.joints.index('right_wrist')
HEAD = LSP.joints.index('head_top')


def lsp_array(count):
    """(3, 14, N): joint k of person n is at (11 + 10 k, 21 + 5 k + n)."""
    joints = np.zeros((3, 14, count))
    joints[0] = 11 + 10 * np.arange(14)[:, None]
    joints[1] = 21 + 5 * np.arange(14)[:, None] + np.arange(count)
    return joints


def lspet_array(count):
    """(14, 3, N): the same people, all of it annotated."""
    joints = lsp_array(count).transpose(1, 0, 2)
    joints[:, 2] = 1
    return joints


def write(folder, joints):
    path = folder / 'joints.mat'
    savemat(path, dict(joints=joints))
    return path


def test_lsp_flags_what_is_occluded_and_counts_from_1(tmp_path):
    joints = lsp_array(2)
    joints[2, WRIST, 1] = 1
    first, second = read_lsp(write(tmp_path, joints))
    assert [first.image, second.image] == ['im0001.jpg', 'im0002.jpg']
    assert first.keypoints[WRIST].tolist() == [10 + 60, 20 + 30]
    assert second.keypoints[WRIST].tolist() == [10 + 60, 20 + 30 + 1]
    assert first.visible.all()
    assert second.annotated.all()
    assert np.flatnonzero(~second.visible).tolist() == [WRIST]
    assert second.official_index == (1, 0)
    # The box is 130 x 65 pixels from (10, 20); 130 * 1.15 / 200 = 0.7475.
    assert first.center.tolist() == [75, 52.5]
    assert first.scale == pytest.approx(0.7475)


def test_lsp_extended_flags_what_is_annotated(tmp_path):
    joints = lspet_array(5)
    joints[HEAD, 2, 0] = 0  # at (141, 86), the box's corner
    joints[HEAD, :2, 1] = 0
    joints[HEAD, :2, 2] = np.nan
    joints[HEAD, :2, 3] = [-30, -7]
    joints[HEAD, :2, 4] = [-3, 90]  # a foot outside the image is a foot
    people = read_lsp(write(tmp_path, joints))
    assert [person.image for person in people] == [
        f'im0000{number}.jpg' for number in (1, 2, 3, 4, 5)]
    for person in people[:4]:
        assert person.annotated.tolist() == [True] * 13 + [False]
        assert person.visible is None
    # Without the corner the box is 120 x 60 pixels from (10, 20).
    assert people[0].center.tolist() == [70, 50]
    assert people[0].scale == pytest.approx(120 * 1.15 / 200)
    assert people[4].annotated.all()
    assert people[4].keypoints[HEAD].tolist() == [-4, 89]


@pytest.mark.parametrize('subset, numbers', [
    (None, [1, 2, 3, 4]), ('train', [1, 2]), ('test', [3, 4])])
def test_halves_of_lsp(tmp_path, subset, numbers):
    people = read_lsp(write(tmp_path, lsp_array(4)), subset)
    assert [(person.image, person.official_index, person.keypoints[0, 1])
            for person in people] == [
                (f'im000{number}.jpg', (number - 1, 0), 19 + number)
                for number in numbers]


def test_lsp_extended_is_all_for_training(tmp_path):
    path = write(tmp_path, lspet_array(3))
    assert len(read_lsp(path, 'train')) == 3
    with pytest.raises(ValueError):
        read_lsp(path, 'test')
    with pytest.raises(ValueError):  # an odd number cannot be halved
        read_lsp(write(tmp_path, lsp_array(3)), 'train')


def test_a_single_joint_has_a_crop_and_none_has_no_person(tmp_path):
    joints = lspet_array(3)
    joints[1:, 2, 0] = 0
    joints[:, 2, 1] = 0
    first, last = read_lsp(write(tmp_path, joints))
    assert first.center.tolist() == [10, 20]
    assert first.scale == pytest.approx(40 * 1.15 / 200)  # SMALLEST_BOX
    assert (last.image, last.official_index) == ('im00003.jpg', (2, 0))


def test_json_counts_from_0_and_holds_one_subset(tmp_path):
    path = write_json(tmp_path / 'a.json', [entry(LSP, joints=[[1, 2]] * 14)])
    person, = read_lsp(path)
    assert person.center.tolist() == [120, 80]
    assert person.keypoints[3].tolist() == [1, 2]
    with pytest.raises(ValueError):
        read_lsp(path, 'train')
