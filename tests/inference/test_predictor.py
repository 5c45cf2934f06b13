"""The predictor in Python; tests/tools has it from file to file."""
import numpy as np
import pytest
from stick_figures import write_people

from hourglass_plugin.inference.predictor import (
    PosePredictor,
    predict_poses,
    whole_image,
)
from hourglass_plugin.transforms.image_io import UnreadableImageError
from hourglass_plugin.visualization.image_files import read_image
from hourglass_plugin.weights import shipped_weights


@pytest.fixture(scope='module')
def predictor():
    return PosePredictor.from_pretrained(device='cpu')


@pytest.fixture(scope='module')
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp('predictor')
    (folder / 'images').mkdir()
    write_people(folder, 'val', 1, np.random.RandomState(0))
    return folder / 'images' / 'val0.png'


def test_image_or_file_give_the_same_person(predictor, file):
    person, = predictor(file)
    again, = predictor(read_image(file))
    assert person.keypoints.shape == (14, 2) and person.scores.shape == (14, )
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
    [5, 5, 5, 9],
    [0, 0, float('nan'), 4],
    [0, 0, 1e9, 4],
    [-20, 0, -10, 4],
    [5000, 0, 5010, 4],
])
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
        PosePredictor.from_pretrained(shipped_weights().config)
