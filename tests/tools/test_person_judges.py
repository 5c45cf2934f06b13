"""What a judge of people learns from, by hand."""
import numpy as np
import person_judges
import torch
from person_judges import People, Poses

PERSON = np.array([[10.0, 10], [50, 10], [30, 90]])


def test_poses_are_judged_by_the_person_that_they_fit():
    # 100 pixels high: a tenth of it is one standard deviation.
    people = People(
        np.array([[0.0, 0, 60, 100]]), PERSON[None],
        np.array([[True, True, True]]), np.array([[300.0, 0, 360, 100]]))
    poses = np.stack([PERSON, PERSON + [10, 0], PERSON + 500,
                      PERSON + [300, 0]])
    fits, boxes = person_judges.judge_by_truth(poses, people)
    # The last one is around somebody whose keypoints are not known.
    np.testing.assert_allclose(fits, [1, np.exp(-0.5), 0, np.nan], atol=1e-9)
    assert boxes[0].tolist() == [0, 0, 60, 100]
    # Where not everybody is known, no pose is known to be wrong.
    fits, _ = person_judges.judge_by_truth(poses, people._replace(others=None))
    assert np.isnan(fits).tolist() == [False, False, True, True]
    half = people.scaled(0.5)
    np.testing.assert_allclose(half.keypoints[0, 0], [4.75, 4.75])


def test_a_judge_learns_and_is_ranked():
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(1024, 3, generator=generator)
    boxes = torch.tensor([[0.0, 0, 100, 100]]).repeat(1024, 1)
    poses = Poses(boxes, torch.from_numpy(PERSON).float().repeat(1024, 1, 1),
                  scores, (scores.mean(1) > 0.5).float(), boxes + 10)
    judge = person_judges.train(poses)
    found, logits = judge(*poses[:3])
    right = poses.fits > 0.5
    assert person_judges.ranked_right(logits.detach(), right) > 0.95
    assert (found - poses.targets)[right].abs().max() < 15  # of 100 pixels
    again = person_judges.flipped(
        person_judges.flipped(poses, [1, 0, 2]), [1, 0, 2])
    assert all(map(torch.equal, again, poses))
    order = torch.tensor([0.1, 0.4, 0.3, 0.2])
    # Right are 0.4 and 0.2, wrong 0.1 and 0.3: three of four pairs.
    right = torch.tensor([0, 1, 0, 1]).bool()
    assert person_judges.ranked_right(order, right) == 0.75
