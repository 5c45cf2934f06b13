"""Splits, boxes and files of a project."""
import cv2
import numpy as np
import pytest
from label_formats import project
from label_formats.table import KeypointNames, LabeledImage, LabeledPerson


def image(file, group='', frame=None, **points):
    points = points or dict(nose=(10, 10, 2), tail=(40, 20, 1))
    return LabeledImage(file, [LabeledPerson(points)], (100, 80), frame,
                        group=group)


def frames(split):
    return [[each.file for each in part] for part in split[:2]]


@pytest.mark.parametrize('sizes, val', [
    (dict(a=50, b=10, c=40), {'b'}),
    (dict(a=20, b=20, c=20, d=20, e=20), {'a'}),
    (dict(a=50, b=50), {'a'}),
    (dict(a=8, b=60, c=4, d=31), {'a', 'c'}),
])
def test_videos_are_in_one_part_only(sizes, val):
    images = [image(f'{name}/{i}.png', name) for name, count in sizes.items()
              for i in range(count)]
    split = project.split_images(images)
    assert {each.group for each in split.val} == val
    assert {each.group for each in split.train} == set(sizes) - val


@pytest.mark.parametrize('form', ['img{}.png', '{:03d}_mouse.png'])
def test_neighbouring_frames_are_never_in_both_parts(form):
    names = [form.format(i) for i in range(1, 31)]  # 10 comes after 9
    images = [image(name) for name in np.random.RandomState(0).permutation(
        names)]
    train, val = frames(project.split_images(images))
    assert sorted(val) == sorted(names[-6:])
    assert sorted(train) == sorted(names[:-7])


def test_beginnings_of_names_are_videos():
    images = [image(f'cam{video}_{i:04d}_jpg.rf.{i * 977:x}.jpg')
              for video in (1, 2, 3) for i in range(10)]
    val = frames(project.split_images(images))[1]
    assert len({name[:4] for name in val}) == 1 and len(val) == 10


def test_parts_of_the_labels_are_kept():
    images = [image(f'{i}.png') for i in range(8)]
    for index, each in enumerate(images):
        each.part = 'val' if index == 3 else 'train'
    assert frames(project.split_images(images))[1] == ['3.png']
    with pytest.raises(ValueError):  # too few images
        project.split_images([image('a.png')] * 3)


def test_boxes_are_made_around_points_flat_ones_too():
    single = image('a.png', nose=(99, 3, 2))
    left, top, width, height = project.box_of(single, single.people[0].points)
    assert width >= 1 and height >= 2
    assert left + width <= 99 and left < 99 and top <= 3 <= top + height
    (annotation, ) = project.coco_content(
        [image('a.png')], KeypointNames(['tail', 'ear', 'nose']), 'mouse',
        False)['annotations']
    assert annotation['keypoints'] == [40, 20, 1, 0, 0, 0, 10, 10, 2]
    assert annotation['num_keypoints'] == 2
    assert annotation['bbox'] == [7, 8, 36, 14]


def test_fixed_cameras_are_told_from_others():
    rng = np.random.RandomState(0)
    names = KeypointNames(['nose', 'tail'])
    facing = [image('a', nose=(80 + rng.rand(), 10, 2), tail=(10, 60, 2))
              for _ in range(9)]
    both = facing + [image('a', nose=(20, 10, 2), tail=(90, 60, 2))] * 9
    assert project.fills_images(facing) and project.fills_images(both)
    assert project.never_flipped(facing, names)
    assert not project.never_flipped(both, names)
    facing[0].people *= 2
    assert not project.fills_images(facing)
    assert not project.fills_images([image('a')] * 3)


def test_images_are_found_by_the_ends_of_their_paths(tmp_path):
    for video in ('one', 'two'):
        (tmp_path / video).mkdir()
        cv2.imwrite(str(tmp_path / video / 'img1.png'),
                    np.zeros((80, 100), np.uint8))
    found, root, remarks = project.collect_images(
        [image('labeled-data/two/img1.png'), image('three/img7.png')],
        tmp_path, tmp_path / 'new')
    assert [root / each.file for each in found] == [tmp_path / 'two/img1.png']
    assert len(remarks) == 1 and 'img7.png' in remarks[0]
    (found, ), _, remarks = project.collect_images([
        image('two/img1.png'), image('b/two/img1.png'),
        image('two/img1.png', nose=(-9, 9, 2))], tmp_path, tmp_path)
    # In one image, so in one part; the other remark is on what is outside.
    assert len(found.people) == len(remarks) == 2
    for names, error in ((['img1'], ValueError), (['img8'], FileNotFoundError),
                         (['c/two/img1', 'd/two/img1'], ValueError)):
        labeled = [image(f'{name}.png') for name in names]
        with pytest.raises(error):
            project.collect_images(labeled, tmp_path, tmp_path)


def test_turned_images_of_relative_labels(tmp_path):
    from PIL import Image
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (100, 80)).save(tmp_path / 'a.jpg', exif=exif)
    turned = image('a.jpg', nose=(50.0, 40.0, 2))
    turned.is_relative = True
    (found, ), _, _ = project.collect_images([turned], tmp_path, tmp_path)
    assert found.size == (80, 100)
    assert found.people[0].points['nose'] == (40, 50, 2)
