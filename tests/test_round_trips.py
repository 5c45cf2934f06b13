"""File, dataset, prediction, official score: nothing is lost on the way.

A file of each benchmark is read by its dataset and goes through the configs'
pipeline and MMPose's packing; what is "predicted" is the truth, or the truth
one pixel to the right.
"""
import numpy as np
import pytest
from matlab_files import flic_example, struct_array, write_head_boxes
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS
from pose_files import entry, write_json, write_noise
from scipy.io import savemat

from hourglass_plugin.skeletons import FLIC, LSP, MPII, SKELETONS

# Head boxes of 3-4-5 triangles: head sizes 1.8, 2.1 and 30 pixels. Half of
# that is more than a pixel for the second and the third person.
DIAGONALS = [3.0, 3.5, 50.0]
# Torsos of 3, 7 and 100 pixels: a fifth is more than a pixel for two of them.
TORSOS = [3.0, 7.0, 100.0]


def joints(skeleton, person):
    """(K, 2) 1-based places in an image of 300 x 200."""
    rng = np.random.default_rng(person)
    places = np.round(rng.uniform([100, 50], [250, 190], (
        skeleton.num_keypoints, 2)))
    if skeleton.torso:  # as long as TORSOS says, left at the image's right
        first, second = skeleton.indices(skeleton.torso)
        places[first] = 60, 80
        places[second] = 60 + 0.6 * TORSOS[person], 80 + 0.8 * TORSOS[person]
    return places


def box(person):
    size = DIAGONALS[person] / 5
    return 40.0, 30.0, 40 + 3 * size, 30 + 4 * size


def mpii_json(folder):
    people = [
        entry(MPII, image=f'{index}.png', center=[150, 100], scale=0.8,
              joints=joints(MPII, index).tolist()) for index in range(3)]
    write_json(folder / 'a.json', people[::-1])
    write_head_boxes(folder / 'gt.mat', people,
                     [np.reshape(box(index), (2, 2)) for index in range(3)])
    return dict(
        type='HourglassMPIIDataset', ann_file='a.json', headbox_file='gt.mat')


def flic_official(folder):
    examples = []
    for index in range(3):
        coords = np.full((2, 29), np.nan)
        coords[:, [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]] = joints(FLIC, index).T
        examples.append(flic_example(
            f'{index}.png', coords, imgdims=np.array([[200, 300, 3]]),
            torsobox=np.array([[100.0, 50, 200, 150]])))
    savemat(folder / 'a.mat', dict(examples=struct_array(examples)))
    return dict(type='HourglassFLICDataset', ann_file='a.mat', subset='test')


def lsp_mat(folder):
    array = np.stack([joints(LSP, index) for index in range(3)])
    array = np.concatenate([array, np.ones((3, 14, 1))], 2)
    savemat(folder / 'a.mat', dict(joints=np.moveaxis(array, 0, 2)))
    for index in range(3):
        (folder / f'{index}.png').rename(folder / f'im{index + 1:05d}.jpg')
    return dict(type='HourglassLSPDataset', ann_file='a.mat')


def evaluate(kind, folder, shift):
    """(dataset, predictions, scores of the metric)."""
    init_default_scope('mmpose')
    write_noise(folder, [f'{index}.png' for index in range(3)], (300, 200))
    dataset = DATASETS.build(dict(
        kind(folder), data_root=str(folder), data_prefix=dict(img=''),
        test_mode=True, pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale', padding=1.25),
            dict(type='TopdownAffine', input_size=(64, 64)),
            dict(type='PackPoseInputs')]))
    name = dataset.metainfo['dataset_name']
    metric = METRICS.build(dict(
        type='PCKhMetric' if name == 'mpii' else 'TorsoPCKMetric'))
    metric.dataset_meta = dataset.metainfo
    predicted = []
    for index in range(len(dataset)):
        sample = dataset[index]['data_samples'].to_dict()
        keypoints = sample['gt_instances']['keypoints'] + [shift, 0]
        sample['pred_instances'] = dict(keypoints=keypoints)
        metric.process(None, [sample])
        predicted.append(keypoints[0])
    return dataset, np.stack(predicted), metric.evaluate(len(dataset))


@pytest.mark.parametrize('kind', [mpii_json, flic_official, lsp_mat])
@pytest.mark.parametrize('shift', [0, 1])
def test_truth_as_prediction_and_a_pixel_to_the_right(kind, shift, tmp_path):
    dataset, predicted, scores = evaluate(kind, tmp_path, shift)
    name = dataset.metainfo['dataset_name']
    assert len(dataset) == 3
    metric, threshold = ('PCKh', 0.5) if name == 'mpii' else ('PCK', 0.2)
    assert f'{name}/AUC' in scores
    # Two of three people are large enough for a pixel not to matter; a tenth
    # of 30 and of 100 pixels is more than a pixel, of the others less.
    assert scores[f'{name}/{metric}@{threshold}'] == pytest.approx(
        200 / 3 if shift else 100)
    assert scores[f'{name}/{metric}@0.1'] == pytest.approx(
        100 / 3 if shift else 100)
    assert shift or set(scores.values()) == {100.0}
    # Behind the reader pixels count from 0, the people in the file's order.
    order = [2, 1, 0] if kind is mpii_json else [0, 1, 2]
    truth = [joints(SKELETONS[name], index) - 1 for index in order]
    np.testing.assert_allclose(
        predicted, np.add(truth, (shift, 0)), atol=1e-4)  # float32
