"""The predictor in Python; tests/tools has it from file to file."""
import threading

import cv2
import numpy as np
import pytest
from stick_figures import write_people

from hourglass_plugin import PosePredictor
from hourglass_plugin.inference.input_files import Video
from hourglass_plugin.inference.pose_model import predict_poses, whole_image
from hourglass_plugin.transforms.image_io import UnreadableImageError
from hourglass_plugin.visualization.image_files import read_image
from hourglass_plugin.weights import shipped_weights


@pytest.fixture(scope='module')
def predictor():
    return PosePredictor(device='cpu')


@pytest.fixture(scope='module')
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp('predictor')
    (folder / 'images').mkdir()
    write_people(folder, 'val', 1, np.random.RandomState(0))
    return folder / 'images' / 'val0.png'


def test_image_or_file_give_the_same_person(predictor, file):
    person, = predictor(file)
    again, = predictor(read_image(file))
    assert person.keypoints.shape == (16, 2) and person.scores.shape == (16, )
    for ours, other in zip(person, again):
        np.testing.assert_array_equal(ours, other)


def test_boxes_replace_the_search(predictor, file):
    person, = predictor(file)
    boxes = [person.bbox, [0, 0, 30, 40]]
    given, other = predictor(file, boxes)
    # In a batch of two the last bits may differ; keypoints are quarters of
    # cells.
    np.testing.assert_allclose(given.keypoints, person.keypoints, atol=1e-3)
    np.testing.assert_array_equal(other.bbox, boxes[1])
    assert predictor(file, []) == []


@pytest.mark.parametrize('box', [
    [5, 5, 5, 9], [0, 0, float('nan'), 4], [0, 0, 1e9, 4], [-20, 0, -10, 4],
    [5000, 0, 5010, 4]])
def test_wrong_boxes_are_refused(box, predictor, file):
    with pytest.raises(ValueError):
        predictor(file, [box])


def test_a_box_that_cannot_be_cropped_names_its_image(predictor):
    image = np.zeros((9, 9, 3), np.uint8)
    boxes = [whole_image(image), np.zeros((1, 4))]
    with pytest.raises(UnreadableImageError) as raised:
        predict_poses(predictor.model, [image] * 2, boxes, ['a.jpg', 'b.jpg'])
    assert raised.value.path == 'b.jpg'


def test_wrong_files_are_refused(predictor, tmp_path):
    with pytest.raises(FileNotFoundError):
        predictor(tmp_path / 'none.jpg')
    with pytest.raises(ValueError):
        PosePredictor(shipped_weights().config)


def test_lists_folders_and_videos_give_one_result_for_each_image(
        predictor, file, tmp_path):
    person, = predictor(file)
    image = read_image(file)
    for several in ([file, image], (name for name in (str(file), image))):
        both = predictor(several)
        assert [len(people) for people in both] == [1, 1]
        np.testing.assert_allclose(both[1][0].bbox, person.bbox, atol=1e-2)
    assert len(predictor(file.parent)) == 1
    writer = cv2.VideoWriter(
        str(tmp_path / 'film.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 5,
        image.shape[1::-1])
    for _ in range(3):
        writer.write(image)
    writer.release()
    for source in (tmp_path / 'film.avi', Video(str(tmp_path / 'film.avi'))):
        stream = predictor.stream(source, [[0, 0, 9, 9]])
        assert [(each.file, each.frame, each.image.shape == image.shape)
                for each in stream] == [('film.avi', frame, True)
                                        for frame in range(3)]


def test_the_next_image_is_read_while_one_is_used(file):
    is_asked = threading.Event()

    def files():
        yield file
        is_asked.set()
        yield file

    stream = PosePredictor(device='cpu', batch_size=1).stream(
        files(), [[0, 0, 9, 9]])
    next(stream)
    assert is_asked.wait(timeout=60)  # at once, if the machine is free
    assert len(list(stream)) == 1


def test_boxes_may_differ_by_image(predictor, file):
    found = predictor([file] * 3, [[[0, 0, 9, 9]], [], [[1, 1, 20, 30]] * 2])
    assert [len(people) for people in found] == [1, 0, 2]
    with pytest.raises(ValueError):
        predictor([file] * 2, [[[0, 0, 9, 9]]])


def test_heatmaps_are_those_that_are_decoded(predictor, file):
    boxes = [[0, 0, 30, 40], [5, 0, 50, 60]]
    heatmaps = predictor.heatmaps(file, boxes)
    assert heatmaps.shape == (2, 16, 48, 48)
    np.testing.assert_allclose(
        heatmaps.max((2, 3)), [pose.scores for pose in predictor(file, boxes)],
        rtol=1e-5)
    assert predictor.heatmaps(file, []).shape == (0, 16, 48, 48)


def test_drawing_is_returned_and_written(predictor, file, tmp_path):
    person, = predictor(file, [[0, 0, 30, 40]])
    people = [person._replace(scores=np.ones(16))]
    drawing = predictor.draw(file, people, tmp_path / 'drawn.png')
    np.testing.assert_array_equal(drawing, read_image(tmp_path / 'drawn.png'))
    assert (drawing != read_image(file)).any()
    np.testing.assert_array_equal(predictor.draw(file, []), read_image(file))


def test_wrong_arrays_are_refused(predictor):
    for array in (np.zeros((9, 9)), np.zeros((9, 9, 3))):
        with pytest.raises(ValueError):
            predictor(array)


@pytest.mark.parametrize('engine, atol', [
    ('float32', 0.01),  # the same cells and refinement
    ('int8', 4),  # pixels of the crop that a cell of the heatmap has
])
def test_engines_find_the_same_person(engine, atol, predictor, file, tmp_path,
                                      monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    fast = PosePredictor(device='cpu', engine=engine)
    boxes = [predictor(file)[0].bbox]
    expected, = predictor(file, boxes)
    person, = fast(file, boxes)
    difference = np.abs(person.keypoints - expected.keypoints)
    assert np.median(difference) < atol
    again, = fast(file, boxes)
    np.testing.assert_array_equal(again.keypoints, person.keypoints)
