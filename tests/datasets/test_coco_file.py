"""COCO-style files as labelling tools write them: read, noted or refused."""
import contextlib
import json

import numpy as np
import pytest
from PIL import Image
from pose_files import DOG_COCO, DOG_NAMES, changed, write_json

from hourglass_plugin.datasets.coco_file import read_coco_file

NAN = float('nan')
ANNOTATION = DOG_COCO['annotations'][0]
POINTS = ANNOTATION['keypoints']


def read(folder, changes, **options):
    path = write_json(folder / 'a.json', changed(DOG_COCO, changes))
    return read_coco_file(str(path), DOG_NAMES, str(folder), **options)


def several(*changes):
    """Changes that make a file of several annotations."""
    return dict(annotations=[
        dict(ANNOTATION, id=number, **change)
        for number, change in enumerate(changes)])


def write_image(folder, size, orientation=1, name='a.jpg'):
    """Save an image of this width and height with an orientation tag."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new('RGB', size).save(folder / name, exif=exif)


@pytest.mark.parametrize('values, expected', [
    ([12, 22, 2, None, NAN, 0, 30, 50.5, 1], POINTS),
    ([12, 22, 2, NAN, NAN, NAN, 30, 50.5, 1.0], POINTS),
    ([12, 22, 2, None, None, None, 30, 50.5, 1], POINTS),
    ([12, 22, 2, 7, 7, 0, 30, 50.5, 1], POINTS),
    ([12, 22, True, 7, 7, False, 30, 50.5, 1], POINTS),
    ([7, 7, 0] * 3, [0] * 9), ([0, 0, 0, 7, 'x', 0, 0, 0, 0], [0] * 9)])
@pytest.mark.parametrize('count', [None, 0, 3])
def test_v_decides_what_is_annotated(values, expected, count, tmp_path):
    (annotation, ) = read(tmp_path, {
        'annotations.0.keypoints': values,
        'annotations.0.num_keypoints': count}).annotations
    assert annotation['keypoints'] == expected
    assert annotation['num_keypoints'] == np.count_nonzero(expected[2::3])


@pytest.mark.parametrize('names', [
    ['right_ear', 'nose', 'left_ear'], ['Right Ear', 'Nose', 'Left Ear'],
    ['rightEar', 'nose', 'tail', 'leftEar']])
def test_keypoints_are_ordered_by_name(names, tmp_path):
    points = {'n': [12, 22, 2], 'l': [0, 0, 0], 'r': [30, 50.5, 1],
              't': [5, 5, 2]}
    content = read(tmp_path, {
        'categories.0.keypoints': names, 'annotations.0.keypoints': [
            number for name in names for number in points[name[0].lower()]]})
    assert content.annotations[0]['keypoints'] == POINTS
    assert content.notes
    assert not read(tmp_path, {}).notes


DOG = dict(id=1, name='dog', keypoints=list(DOG_NAMES))
CAT = dict(id=2, name='cat')
LEASH = dict(id=2, name='leash', keypoints=['a', 'b'])
SECOND = dict(category_id=2)


@pytest.mark.parametrize('categories, second, category, used', [
    ([DOG, LEASH], dict(SECOND, keypoints=[1, 2, 2] * 2), None, 1),
    ([DOG, LEASH], dict(SECOND, keypoints=[1, 2, 2] * 2), 'dog', 1),
    ([dict(DOG, keypoints=[]), CAT], SECOND, None, 2),
    ([dict(DOG, keypoints=[]), CAT], SECOND, 2, 1),
    ([dict(DOG, keypoints=[]), CAT], SECOND, ['dog', 'cat'], 2),
    ([DOG, dict(CAT, keypoints=[])], dict(SECOND, keypoints=[]), None, 1),
    ([DOG, dict(CAT, keypoints=DOG_NAMES)], SECOND, None, 2),
    ([DOG, CAT], SECOND, None, 'cat'),
    ([DOG, CAT], SECOND, 'cat', 1),
    ([DOG, CAT], SECOND, 'cow', 'cow'),
    ([DOG, LEASH], SECOND, 'leash', 'leash'),
    ([dict(DOG, keypoints=['nose', 'left_ear', 'paw'])], {}, None, 'paw'),
    ([dict(DOG, keypoints=['nose', 'nose', 'left_ear'])], {}, None, 'dog'),
    ([dict(DOG, keypoints=[]), CAT],
     dict(SECOND, keypoints=[1, 2, 2] * 2), None, 'cat')])
def test_categories(categories, second, category, used, tmp_path):
    """By the names of their keypoints or the setting; or they are named."""
    changes = dict(several({}, second), categories=categories)
    with (pytest.raises(ValueError, match=used) if isinstance(used, str)
          else contextlib.nullcontext()):
        content = read(tmp_path, changes, category=category)
        assert len(content.annotations) == used and content.total == 2


@pytest.mark.parametrize('box', [
    None, [], [0, 0, 0, 0], [12, 22, 0, 28], [None] * 4])
def test_boxes_are_made_from_keypoints(box, tmp_path):
    """With a margin of a fifth of 28.5, the larger side of their extent."""
    (annotation, ) = read(tmp_path, several(dict(bbox=box))).annotations
    np.testing.assert_allclose(
        annotation['bbox'], [12 - 5.7, 22 - 5.7, 18 + 11.4, 28.5 + 11.4])
    (annotation, ) = read(
        tmp_path, several(dict(bbox=box, area=None)), box_margin=1).annotations
    np.testing.assert_allclose(annotation['bbox'], [-16.5, -6.5, 75, 85.5])
    # Of it (0, 0) to (58.5, 79) is in the image.
    assert annotation['area'] == pytest.approx(0.53 * 58.5 * 79)


def test_the_box_of_one_keypoint_has_an_area(tmp_path):
    (annotation, ) = read(tmp_path, several(dict(
        bbox=None, keypoints=[50, 40, 2] + [0] * 6))).annotations
    left, top, width, height = annotation['bbox']
    assert width == height == 12  # a twentieth of 100 pixels, and one
    assert (left + width / 2, top + height / 2) == (50, 40)


@pytest.mark.parametrize('changes', [
    # From 0 to 1, the box or the keypoints.
    [dict(bbox=[0.1, 0.2, 0.5, 0.5])],
    [dict(keypoints=[0.1, 0.2, 2, 0.3, 0.3, 2, 0.5, 0.9, 2])],
    [dict(bbox=None, keypoints=[0.1, 0.2, 2, 0.3, 0.3, 2, 1, 0.9, 2])],
    # Outside of the image, or far from the box.
    [dict(keypoints=[110, 20, 2, 0, 0, 0, 120, 30, 2])],
    [dict(bbox=None, keypoints=[110, 20, 2, 0, 0, 0, 120, 30, 2])],
    [dict(keypoints=[70, 20, 2, 0, 0, 0, 90, 30, 2])],
    [dict(bbox=[100, 20, 30, 40])]])
def test_other_units_and_frames_are_refused(changes, tmp_path):
    with pytest.raises(ValueError, match=r'annotations\[0\]'):
        read(tmp_path, several(*changes))


def test_few_implausible_annotations_are_noted(tmp_path):
    content = read(tmp_path, several(
        {}, {}, dict(keypoints=[110, 20, 2, 0, 0, 0, 120, 30, 2])))
    assert len(content.annotations) == 3
    assert 'annotations[2]' in content.notes[0]


@pytest.mark.parametrize('pixels, orientation, written, notes', [
    ((100, 80), 1, (100, 80), 0), ((100, 80), 3, (100, 80), 0),
    ((100, 80), 6, (80, 100), 0),  # the turned size
    ((100, 80), 6, (100, 80), 1),  # the stored size
    ((80, 100), 1, (100, 80), 1),  # exchanged
    ((80, 100), 1, (None, None), 1), ((80, 100), 1, (80.0, 100), 0)])
def test_sizes_are_those_of_the_image(pixels, orientation, written, notes,
                                      tmp_path):
    write_image(tmp_path, pixels, orientation)
    content = read(tmp_path, {
        'images.0': dict(id=7, file_name='a.jpg', width=written[0],
                         height=written[1])})
    turned = pixels[::-1] if orientation > 4 else pixels
    assert (content.images[0]['width'], content.images[0]['height']) == turned
    assert len(content.notes) == notes


@pytest.mark.parametrize('xs, is_refused', [
    ((85, 95), True), ((79, 95), True), ((5, 70), False), ((82, 102), False)])
def test_keypoints_of_the_stored_image(xs, is_refused, tmp_path):
    """The turned one is 80 pixels wide, the stored one 100."""
    write_image(tmp_path, (100, 80), 6)
    changes = several({}, {}, dict(
        bbox=[50, 20, 40, 40],
        keypoints=[xs[0], 30, 2, xs[1], 30, 2, xs[1], 40, 2]))
    with (pytest.raises(ValueError, match=r'annotations\[2\]') if is_refused
          else contextlib.nullcontext()):
        assert len(read(tmp_path, changes).annotations) == 3


def test_numbers_of_other_programs(tmp_path):
    """Ids 1.0 of pandas and MATLAB, names with a backslash."""
    content = read(tmp_path, {
        'images.0.id': 7.0, 'annotations.0.id': 1.0,
        'annotations.0.image_id': 7.0, 'annotations.0.category_id': 1.0,
        'images.0.file_name': 'trip\\b\\a.jpg'})
    assert isinstance(content.images[0]['id'], int)
    assert isinstance(content.annotations[0]['image_id'], int)
    assert content.images[0]['file_name'] == 'trip/b/a.jpg'
    (tmp_path / 'trip\\a.jpg').touch()  # of this name
    content = read(tmp_path, {'images.0.file_name': 'trip\\a.jpg'})
    assert content.images[0]['file_name'] == 'trip\\a.jpg'


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_encodings(encoding, tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(DOG_COCO), encoding=encoding)
    assert read_coco_file(str(path), DOG_NAMES, '').total == 1
