"""Samples of a dataset: crop, joints and targets are aligned."""
import numpy as np
import torch
from dataset_samples import draw_sample, write_dataset_sheets
from mmengine.structures import InstanceData, PixelData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample

from hourglass_plugin.skeletons import LSP, RIGHT_COLOR
from hourglass_plugin.visualization import read_image

JOINT = LSP.joints.index('right_wrist')
PLACE = (41, 18)  # x, y in the crop; its heatmap cell is (10, 4)


def packed_sample(index=0):
    """A black 64 x 64 crop with one joint, as PackPoseInputs packs it."""
    keypoints = np.zeros((1, LSP.num_keypoints, 2), np.float32)
    visible = np.zeros((1, LSP.num_keypoints), np.float32)
    keypoints[0, JOINT] = PLACE
    visible[0, JOINT] = 1
    sample = PoseDataSample(metainfo=dict(img_path=f'photo{index}.jpg'))
    sample.gt_instances = InstanceData(
        transformed_keypoints=keypoints, keypoints_visible=visible)
    heatmaps = np.zeros((LSP.num_keypoints, 16, 16), np.float32)
    heatmaps[JOINT, PLACE[1] // 4, PLACE[0] // 4] = 1
    sample.gt_fields = PixelData(heatmaps=torch.from_numpy(heatmaps))
    return dict(
        inputs=torch.zeros(3, 64, 64, dtype=torch.uint8), data_samples=sample)


def test_joint_and_target_are_where_they_are_in_the_crop():
    # 64 px are enlarged to 256; pixel p covers 4 p to 4 p + 3.
    drawn = draw_sample(packed_sample(), LSP)
    assert drawn.shape == (256, 2 * 256 + 2, 3)
    x, y = (4 * place + 1.5 for place in PLACE)
    joint = drawn[int(y):int(y) + 2, int(x):int(x) + 2]
    assert (joint == RIGHT_COLOR[::-1]).all()
    heat = drawn[:, 256 + 2:].max(axis=2).astype(float)
    rows, columns = np.indices(heat.shape)
    # Cell (10, 4) covers 16 pixels of the picture from (160, 64) on.
    middle = [(heat * axis).sum() / heat.sum() for axis in (columns, rows)]
    np.testing.assert_allclose(middle, [160 + 7.5, 64 + 7.5], atol=0.05)
    sample = packed_sample()
    del sample['data_samples'].gt_fields
    assert draw_sample(sample, LSP).shape == (256, 256, 3)


class Samples(list):
    """The methods of a dataset that are used; remembers the indices."""

    metainfo = parse_pose_metainfo(LSP.metainfo())

    def __getitem__(self, index):
        self.asked = [*getattr(self, 'asked', []), index]
        return packed_sample(index)


def test_sheets_hold_24_people_from_first_to_last(tmp_path):
    dataset = Samples(range(53))
    files = write_dataset_sheets(dataset, 27, tmp_path, 'train')
    assert dataset.asked == list(range(0, 53, 2))  # 27 of 53
    assert [file.name for file in files] == ['train_01.png', 'train_02.png']
    full, rest = (read_image(file) for file in files)
    # 24 in 4 columns are 6 rows, the other 3 one row of 3.
    row = 256 + 8 + 22
    assert full.shape[0] - rest.shape[0] == 5 * row
    assert full.shape[1] - rest.shape[1] == 2 * 256 + 2 + 8
    few = Samples(range(2))
    write_dataset_sheets(few, 48, tmp_path, 'val')
    assert few.asked == [0, 1]
