"""Ground truth of each benchmark, and scores against it by hand."""
import numpy as np
import pytest
from ground_truth import read_ground_truth, score_predictions
from matlab_files import write_head_boxes
from newell_files import newell_rows, write_newell_h5
from pose_files import entry, write_json
from prediction_files import Predictions

from hourglass_plugin.skeletons import FLIC, LSP, MPII

HEAD, LEFT_WRIST = 9, 15


@pytest.fixture
def mpii_truth(tmp_path):
    """Three people with head boxes of 3 x 4, of 6 x 8 and of 30 x 40: head
    sizes 3, 6 and 30. The second has no left wrist."""
    people = [entry(MPII, seed) for seed in range(3)]
    people[1]['joints'][LEFT_WRIST] = [0, 0]
    people[1]['joints_vis'][LEFT_WRIST] = 0
    return read_ground_truth('mpii', write_head_boxes(
        tmp_path / 'mpii_gt_val.mat', people, [
            [[5, 5], [5 + 3 * size, 5 + 4 * size]] for size in (1, 2, 10)]),
        'val')


def score(ground_truth, keypoints, **options):
    """The table's rows by their printed labels."""
    scores = score_predictions(
        Predictions(keypoints, **options), ground_truth, 'preds.npy')
    return {str(name): row for name, row in scores.rows.items()}


def test_mpii(mpii_truth):
    assert mpii_truth.sizes.tolist() == pytest.approx([3, 6, 30])
    assert mpii_truth.annotated.sum() == 47 and mpii_truth.visible is None
    assert mpii_truth.skeleton is MPII
    for row in score(mpii_truth, mpii_truth.keypoints).values():
        assert set(row.values()) == {100.0}


@pytest.mark.parametrize('name', ['mpii', 'flic', 'lsp'])
def test_other_subsets_and_files_without_people_are_refused(
        name, mpii_truth, tmp_path):
    path = write_json(tmp_path / 'a.json', [])
    with pytest.raises(ValueError):
        read_ground_truth(name, path)
    with pytest.raises(ValueError):
        read_ground_truth(name, tmp_path / 'mpii_gt_val.mat', 'train')
    with pytest.raises(FileNotFoundError):
        read_ground_truth(name, tmp_path / 'none.h5')


def test_mpii_with_every_figure(tmp_path):
    """An annotation file in MPII's layout that has sizes and visibility."""
    joints = (np.arange(32).reshape(16, 2) * 5).tolist()
    people = [entry(MPII, index, joints=joints) for index in range(3)]
    path = tmp_path / 'a.json'
    with pytest.raises(ValueError):  # no head sizes
        read_ground_truth('mpii', write_json(path, people))
    for person in people:
        person.update(head_size=10.0, joints_visible=[0] + [1] * 15)
    truth = read_ground_truth('mpii', write_json(path, people))
    images = [person['image'] for person in people]
    assert truth.images == images
    assert truth.keypoints[1, 2].tolist() == [19, 24]  # counted from 0
    moved = truth.keypoints.copy()
    moved[0, 0, 0] += 6
    rows = score(truth, moved, images=images,
                 stacks=np.stack([moved + 100, truth.keypoints], 1))
    assert rows['PCKh@0.5/occluded']['Mean'] == pytest.approx(200 / 3)
    assert rows['PCKh@0.5/visible']['Mean'] == 100
    assert rows['stack_1/PCKh@0.5']['Mean'] == 0
    assert rows['stack_2/PCKh@0.5']['Mean'] == 100
    with pytest.raises(ValueError):
        score(truth, moved, images=images[::-1])


def test_flic_measures_the_persons_own_torso(tmp_path):
    rows = newell_rows(2, 11)
    # Left shoulder on the image's right, as the observer's labels have it.
    rows['part'][:, 0, 0], rows['part'][:, 3, 0] = 300, 100
    rows['normalize'] = np.array([50.0, 100.0])
    truth = read_ground_truth(
        'flic', write_newell_h5(tmp_path / 'valid.h5', rows))
    assert truth.skeleton is FLIC and truth.sizes.tolist() == [50, 100]
    found = score(truth, rows['part'] - 1 + [10.5, 0])
    assert found['PCK@0.2']['Elbow'] == found['PCK@0.2']['Mean'] == 50
    assert found['PCK@0.1']['Mean'] == 0 and found['PCK@0.5']['Mean'] == 100


def test_lsp_leaves_out_people_without_a_torso(tmp_path):
    without_hip = [int(joint != 3) for joint in range(14)]
    truth = read_ground_truth('lsp', write_json(tmp_path / 'a.json', [
        entry(LSP), entry(LSP, 1, joints_vis=without_hip)]))
    joints = truth.keypoints[0]
    size = np.linalg.norm(joints[8] - joints[3])
    assert truth.sizes[0] == pytest.approx(size, rel=1e-6)
    assert np.isnan(truth.sizes[1]) and truth.skeleton is LSP
    found = score_predictions(Predictions(truth.keypoints), truth, 'a.npy')
    assert (found.num_people, found.num_left_out) == (1, 1)
    assert found.rows[found.benchmark]['Mean'] == 100


def test_predictions_that_are_not_finite_are_refused(mpii_truth):
    keypoints = mpii_truth.keypoints.copy()
    keypoints[1, LEFT_WRIST] = np.nan  # not annotated
    assert score(mpii_truth, keypoints)['PCKh@0.5']['Mean'] == 100
    keypoints[1, HEAD, 1] = np.inf
    with pytest.raises(ValueError):
        score(mpii_truth, keypoints)
