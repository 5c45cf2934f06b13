"""Finding people again, in another file, by their joints."""
from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

#: Pixels by which a coordinate differs between files that round to 3 decimals.
_ROUNDED = 0.002

#: The same between files of which one cuts neck and head top to whole pixels.
_CUT = 1.001

#: A vector's entry where no joint is annotated, far from every coordinate.
_NOWHERE = -1e5


def match_joints(keypoints: np.ndarray, annotated: np.ndarray,
                 known_keypoints: np.ndarray,
                 known_annotated: np.ndarray) -> Iterator[np.ndarray]:
    """For each person the known people that are the same, judged by joints.

    MPII's files agree on nearly everyone, up to rounding. Some of them cut
    neck and head top to whole pixels, and a few joints are damaged: in
    ``mpii_gt_val.mat``, 13 joints of 10 people have lost a coordinate. So
    three searches follow each other: all joints equal; all joints within a
    pixel; for the rest, whoever shares the most joints, if they are at least
    three and half of those that both could share.

    Args:
        keypoints: (M, K, 2) pixels.
        annotated: (M, K) bool.
        known_keypoints: (N, K, 2) pixels.
        known_annotated: (N, K) bool.

    Yields:
        M arrays with positions of equally good known people; more than one
        if their joints do not tell them apart, none if there is nobody.
    """
    vectors = _vectors(keypoints, annotated)
    tree = cKDTree(_vectors(known_keypoints, known_annotated))
    equal = tree.query_ball_point(vectors, _ROUNDED, p=np.inf)
    near = tree.query_ball_point(vectors, _CUT, p=np.inf)
    for index in range(len(keypoints)):
        matches = equal[index] or near[index]
        if matches:
            yield np.sort(matches)
            continue
        both = known_annotated & annotated[index]  # (N, K)
        apart = np.abs(known_keypoints - keypoints[index]).max(2)
        shared = (both & (apart <= _CUT)).sum(1)  # (N,)
        comparable = np.minimum(known_annotated.sum(1), annotated[index].sum())
        shared[(shared < 3) | (2 * shared < comparable)] = 0
        yield np.flatnonzero(shared == shared.max(initial=1))


def _vectors(keypoints: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """(N, 2 K) numbers that identify people."""
    count, joints, _ = keypoints.shape
    known = np.where(annotated[:, :, None], keypoints, _NOWHERE)
    return known.reshape(count, 2 * joints)
