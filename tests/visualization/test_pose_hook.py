"""Images that the hook writes, and their pixels."""
import logging
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample

from hourglass_plugin.skeletons import LSP, RIGHT_COLOR
from hourglass_plugin.visualization import save_image
from hourglass_plugin.visualization.pose_hook import HourglassVisualizationHook

# Of a JPEG, whose colours are approximate.
COLOR_TOLERANCE = 40


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / 'photo.png'
    save_image(path, np.zeros((100, 200, 3), np.uint8))
    return path


def sample(image_file, index, predicted, annotated):
    """A person in the square of 64 px around (100, 50), with one joint."""

    def person(place):
        keypoints = np.full((1, LSP.num_keypoints, 2), -1000, np.float32)
        scores = np.zeros((1, LSP.num_keypoints), np.float32)
        joint = LSP.joints.index('right_wrist')
        keypoints[0, joint] = place
        scores[0, joint] = 1
        return dict(keypoints=keypoints), scores

    result = PoseDataSample(
        metainfo=dict(
            id=index,
            img_path=str(image_file),
            input_center=np.array([100., 50.]),
            input_scale=np.array([64., 64.])))
    keypoints, scores = person(predicted)
    result.pred_instances = InstanceData(**keypoints, keypoint_scores=scores)
    keypoints, visible = person(annotated)
    result.gt_instances = InstanceData(**keypoints, keypoints_visible=visible)
    return result


def runner_of(num_people, epoch=0):
    loader = SimpleNamespace(sampler=range(num_people))
    meta = SimpleNamespace(
        dataset_meta=parse_pose_metainfo(LSP.metainfo()))
    return SimpleNamespace(
        test_dataloader=loader,
        val_dataloader=loader,
        test_evaluator=meta,
        val_evaluator=meta,
        log_processor=SimpleNamespace(by_epoch=True),
        logger=logging.getLogger('test'),
        epoch=epoch,
        rank=0)


def build_hook(**arguments):
    return HourglassVisualizationHook(enable=True, kpt_thr=0.5, **arguments)


def run_test(hook, samples, batch_size=2):
    runner = runner_of(len(samples))
    hook.before_test_epoch(runner)
    for index in range(0, len(samples), batch_size):
        hook.after_test_iter(
            runner, index, outputs=samples[index:index + batch_size])
    hook.after_test_epoch(runner)


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_prediction_is_left_and_ground_truth_right(image_file, tmp_path):
    hook = build_hook(out_dir=tmp_path / 'out', picture_height=256)
    run_test(hook, [sample(image_file, 7, (84, 34), (116, 66))])
    picture = cv2.imread(str(tmp_path / 'out' / 'photo_7.jpg')).astype(int)
    # 64 px are shown as 256, from (68, 18) on; two white pixels between.
    assert picture.shape == (256, 2 * 256 + 2, 3)
    # The predicted joint lies at 4 * (84 - 68, 34 - 18) = (64, 64), the
    # annotated one at 4 * (48, 48) = (192, 192).
    wrist = np.array(RIGHT_COLOR[::-1])
    for row, column in ((64, 64), (192, 256 + 2 + 192)):
        np.testing.assert_allclose(
            picture[row, column], wrist, atol=COLOR_TOLERANCE)
    for row, column in ((192, 192), (64, 256 + 2 + 64)):
        assert picture[row, column].max() < COLOR_TOLERANCE
    assert picture[:, 256:258].min() > 255 - COLOR_TOLERANCE


def test_interval_thins_the_pictures_out_and_not_the_sheet(
        image_file, tmp_path):
    people = [
        sample(image_file, index, (90, 50), (110, 50)) for index in range(7)
    ]
    hook = build_hook(out_dir=tmp_path / 'out', interval=3, sheet_size=3)
    run_test(hook, people)
    assert names_in(tmp_path / 'out') == [
        'photo_0.jpg', 'photo_3.jpg', 'photo_6.jpg', 'sheet.jpg'
    ]
    # Three people in one row of 224 px pairs, 8 px between and around.
    sheet = cv2.imread(str(tmp_path / 'out' / 'sheet.jpg'))
    assert sheet.shape[1] == 8 + 3 * (2 * 224 + 2 + 8)


def test_sheet_has_people_from_first_to_last(image_file, tmp_path):
    people = [
        sample(image_file, index, (90, 50), (110, 50)) for index in range(9)
    ]
    hook = build_hook(out_dir=tmp_path / 'out', interval=100, sheet_size=3)
    run_test(hook, people)
    assert hook._captions == ['photo_0', 'photo_4', 'photo_8']


def test_validation_writes_a_folder_per_epoch(image_file, tmp_path):
    hook = build_hook(out_dir=tmp_path / 'out')
    for epoch in (1, 2):
        runner = runner_of(1, epoch)
        hook.before_val_epoch(runner)
        hook.after_val_iter(
            runner, 0, outputs=[sample(image_file, 0, (90, 50), (110, 50))])
        hook.after_val_epoch(runner)
    assert names_in(tmp_path / 'out') == ['epoch_001', 'epoch_002']
    assert names_in(tmp_path / 'out' / 'epoch_002') == [
        'photo_0.jpg', 'sheet.jpg'
    ]


@pytest.mark.parametrize('arguments', [
    dict(enable=False, out_dir='out'),
    dict(enable=True),
])
def test_nothing_is_read_or_written_unless_asked_for(arguments, monkeypatch,
                                                     tmp_path):
    monkeypatch.chdir(tmp_path)
    hook = HourglassVisualizationHook(**arguments)
    run_test(hook, [sample('missing.jpg', 0, (90, 50), (110, 50))])
    assert not names_in(tmp_path)


@pytest.mark.parametrize('arguments', [
    dict(interval=0), dict(sheet_size=-1), dict(picture_height=0)
])
def test_numbers_out_of_range_are_named(arguments):
    with pytest.raises(ValueError):
        build_hook(**arguments)
