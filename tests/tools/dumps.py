"""Dumps of tools/test.py on people with LSP's joints."""
import numpy as np

from hourglass_plugin.skeletons import LSP


def torso_distances(person):
    """Distances of a dumped person's keypoints in torso sizes, (14)."""
    truth = person['gt_instances']['keypoints'][0]
    shoulder, hip = LSP.indices(['right_shoulder', 'left_hip'])
    return np.linalg.norm(
        person['pred_instances']['keypoints'][0] - truth,
        axis=1) / np.linalg.norm(truth[shoulder] - truth[hip])
