"""Images that the hook writes, and their pixels."""
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample

from hourglass_plugin.skeletons import LSP, RIGHT_COLOR
from hourglass_plugin.visualization import pose_hook, read_image, save_image
from hourglass_plugin.visualization.pose_hook import HourglassVisualizationHook

# Of a JPEG, whose colours are approximate.
COLOR_TOLERANCE = 40


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / 'photo.png'
    save_image(path, np.zeros((100, 200, 3), np.uint8))
    return path


def sample(image_file, index, predicted=(90, 50), annotated=(110, 50)):
    """A person in the square of 64 px around (100, 50), with one joint."""
    joint = LSP.joints.index('right_wrist')
    marks = np.zeros((1, LSP.num_keypoints), np.float32)
    marks[0, joint] = 1
    keypoints = np.full((2, 1, LSP.num_keypoints, 2), -1000, np.float32)
    keypoints[:, 0, joint] = predicted, annotated
    result = PoseDataSample(
        metainfo=dict(
            id=index, img_path=str(image_file),
            input_center=np.array([100., 50.]),
            input_scale=np.array([64., 64.])))
    result.pred_instances = InstanceData(
        keypoints=keypoints[0], keypoint_scores=marks)
    result.gt_instances = InstanceData(
        keypoints=keypoints[1], keypoints_visible=marks)
    return result


def run(hook, samples, mode='test', epoch=0, batch_size=2):
    meta = SimpleNamespace(dataset_meta=parse_pose_metainfo(LSP.metainfo()))
    runner = SimpleNamespace(
        log_processor=SimpleNamespace(by_epoch=True), epoch=epoch, rank=0,
        logger=logging.getLogger('test'), **{
            f'{mode}_dataloader': SimpleNamespace(sampler=samples),
            f'{mode}_evaluator': meta})
    getattr(hook, f'before_{mode}_epoch')(runner)
    for index in range(0, len(samples), batch_size):
        getattr(hook, f'after_{mode}_iter')(
            runner, index, outputs=samples[index:index + batch_size])
    getattr(hook, f'after_{mode}_epoch')(runner)


def build_hook(**arguments):
    return HourglassVisualizationHook(enable=True, kpt_thr=0.5, **arguments)


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_prediction_is_left_and_ground_truth_right(image_file, tmp_path):
    run(build_hook(out_dir=tmp_path / 'out'),
        [sample(image_file, 7, (84, 34), (116, 66))])
    picture = read_image(tmp_path / 'out' / 'photo_7.jpg').astype(int)
    # 64 px are shown as 512, from (68, 18) on; two white pixels between.
    assert picture.shape == (512, 2 * 512 + 2, 3)
    # The predicted joint lies at 8 * (84 - 68, 34 - 18) = (128, 128), the
    # annotated one at 8 * (48, 48) = (384, 384).
    right = 512 + 2
    for row, column, color in (
        (128, 128, RIGHT_COLOR[::-1]), (384, 384, (0, 0, 0)),
        (384, right + 384, RIGHT_COLOR[::-1]), (128, right + 128, (0, 0, 0))
    ):
        np.testing.assert_allclose(
            picture[row, column], color, atol=COLOR_TOLERANCE)
    assert picture[:, 512:514].min() > 255 - COLOR_TOLERANCE


def test_interval_thins_the_pictures_out_and_not_the_sheet(
        image_file, monkeypatch, tmp_path):
    hook = build_hook(out_dir=tmp_path / 'out', interval=30)
    sheets = []
    monkeypatch.setattr(
        pose_hook, 'contact_sheet',
        lambda *arguments: sheets.append(arguments) or arguments[0][0])
    run(hook, [sample(image_file, index) for index in range(70)])
    assert names_in(tmp_path / 'out') == [
        'photo_0.jpg', 'photo_30.jpg', 'photo_60.jpg', 'sheet.jpg']
    # From first to last: every third one.
    (images, columns, captions, _), = sheets
    assert captions == [f'photo_{index}' for index in range(0, 70, 3)]
    assert {image.shape[0] for image in images} == {224} and columns == 4


def test_validation_writes_a_folder_per_epoch(image_file, tmp_path):
    hook = build_hook(out_dir=tmp_path / 'out')
    for epoch in (1, 2):
        run(hook, [sample(image_file, 0)], 'val', epoch)
    assert names_in(tmp_path / 'out') == ['epoch_001', 'epoch_002']
    assert names_in(tmp_path / 'out' / 'epoch_002') == [
        'photo_0.jpg', 'sheet.jpg']


@pytest.mark.parametrize('arguments', [dict(enable=False, out_dir='out'),
                                       dict(enable=True)])
def test_nothing_is_read_or_written_unless_asked_for(arguments, monkeypatch,
                                                     tmp_path):
    monkeypatch.chdir(tmp_path)
    run(HourglassVisualizationHook(**arguments), [sample('missing.jpg', 0)])
    assert not names_in(tmp_path)
