"""People in videos keep their numbers; files play in browsers."""
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from hourglass_plugin import PosePredictor
from hourglass_plugin.inference import predictor as module
from hourglass_plugin.inference.input_files import Video
from hourglass_plugin.inference.person_detector import mmdet_detector
from hourglass_plugin.inference.results import Pose
from hourglass_plugin.inference.tracking import box_around
from hourglass_plugin.inference.video_file import VideoFile

SIZE = 160, 120


def write_video(path, frames):
    with VideoFile(path, 25, SIZE) as video:
        for frame in range(frames):
            image = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
            cv2.circle(image, (40 + 2 * frame, 60), 20, (0, 0, 255), -1)
            video.write(image)


def test_written_video_has_its_frames(tmp_path):
    write_video(tmp_path / 'a.mp4', 12)
    video = Video(str(tmp_path / 'a.mp4'))
    frames = list(video)
    assert (len(frames), video.size, video.rate) == (12, SIZE, 25)
    # Lossy: the disc is red, and where it was drawn.
    assert frames[-1][60, 62, 2] > 150 > frames[-1][60, 15, 2]


def test_h264_where_pyav_is_installed(tmp_path):
    av = pytest.importorskip('av')
    write_video(tmp_path / 'a.mp4', 3)
    with av.open(str(tmp_path / 'a.mp4')) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == 'h264'
        assert stream.codec_context.pix_fmt == 'yuv420p'


def test_box_around_leaves_unsure_keypoints_out():
    keypoints = np.array([[10, 20], [30, 60], [500, 500]], float)
    box = box_around(keypoints, np.array([0.9, 0.5, 0.01]))
    # A margin of 7.5 % of the larger extent, 40, on each side.
    assert box.tolist() == [7, 17, 33, 63]
    # All keypoints at one place still have a box of a pixel.
    assert box_around(np.full((3, 2), 5)).tolist() == [4.5, 4.5, 5.5, 5.5]


def test_boxes_of_the_last_frame_are_used_again(tmp_path, monkeypatch):
    write_video(tmp_path / 'a.mp4', 12)
    detected, boxes = [], []

    def detect(image):
        detected.append(len(boxes))
        return np.array([[20, 40, 60, 80], [100, 40, 140, 80]])

    def predict(model, images, given, names=None):
        boxes.append(given[0])
        # Two corners of the box, less the margin that is added again.
        return [[
            Pose(box, box.reshape(2, 2) + [[60 / 23], [-60 / 23]], np.ones(2))
            for box in given[0]]]

    predictor = PosePredictor(detector=detect, device='cpu')
    monkeypatch.setattr(module, 'predict_poses', predict)
    found = list(predictor.stream(tmp_path / 'a.mp4'))
    assert detected == [0, 10]
    assert [[pose.track for pose in each.people] for each in found] == [
        [1, 2]] * 12
    np.testing.assert_allclose(boxes[1][0], [20, 40, 60, 80], rtol=1e-6)


def test_a_detector_of_mmdetection_gives_sure_boxes_of_people(monkeypatch):
    apis = pytest.importorskip('mmdet.apis')
    found = InstanceData(
        bboxes=torch.arange(12.0).view(3, 4), labels=torch.tensor([0, 0, 1]),
        scores=torch.tensor([0.9, 0.2, 0.9]))
    monkeypatch.setattr(apis, 'init_detector', lambda *_, **options: options)
    monkeypatch.setattr(apis, 'inference_detector', lambda model, image:
                        SimpleNamespace(pred_instances=found))
    detect = mmdet_detector('config.py', 'file.pth')
    assert detect(np.zeros((9, 9, 3), np.uint8)).tolist() == [[0, 1, 2, 3]]
