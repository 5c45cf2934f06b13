"""Small files of each labelling tool, as the tools write them.

``exports`` has them without their images: two animals of three keypoints, one
of them occluded where the format can say so, one not labelled.
"""
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from label_formats.project import collect_images
from label_formats.reading import read_labels
from label_formats.table import flip_pairs
from pose_files import write_video

EXPORTS = Path(__file__).with_name('exports')
WIDTH, HEIGHT = 80, 60
POINTS = [
    dict(nose=(10.0, 20.0), left_ear=(12.0, 24.0), right_ear=(16.0, 21.5)),
    dict(nose=(50.0, 30.0), left_ear=(54.0, 33.0)),
]
NAMES = ['nose', 'left_ear', 'right_ear']
LINKS = [('nose', 'left_ear'), ('nose', 'right_ear')]


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    if path.suffix == '.avi':
        write_video(path, [image] * 5)
    else:
        cv2.imwrite(str(path), image)


def zipped(folder):
    return Path(shutil.make_archive(str(folder), 'zip', folder))


def as_h5(folder):
    """DeepLabCut's table as pandas stores it."""
    pandas = pytest.importorskip('pandas')
    pytest.importorskip('tables')
    path = next(folder.rglob('*.csv'))
    table = pandas.read_csv(path, header=[0, 1, 2, 3], index_col=[0, 1, 2])
    table.to_hdf(path.with_suffix('.h5'), key='df_with_missing', mode='w')
    path.unlink()
    return path.with_suffix('.h5')


def sleap(folder):
    """SLEAP's HDF5 file, written by its own library."""
    sleap_io = pytest.importorskip('sleap_io')
    skeleton = sleap_io.Skeleton(
        nodes=list(NAMES), edges=LINKS, symmetries=[('left_ear', 'right_ear')])
    frame = sleap_io.LabeledFrame(
        video=sleap_io.Video.from_filename([str(folder / 'a.png')]),
        frame_idx=0, instances=[
            sleap_io.Instance.from_numpy(
                np.array([points.get(name, (np.nan, np.nan))
                          for name in NAMES]), skeleton=skeleton)
            for points in POINTS])
    sleap_io.Labels([frame]).save(str(folder / 'labels.slp'))
    return folder / 'labels.slp'


@pytest.mark.parametrize('export, image, path, links', [
    ('coco', 'images/a.png', 'annotations/person_keypoints_default.json',
     LINKS),
    ('coco', 'images/a.png', zipped, LINKS),  # CVAT's
    ('roboflow', 'train/a.png', zipped, LINKS),
    ('cvat_images', 'images/a.png', 'annotations.xml', LINKS),
    ('cvat_video', 'clip.avi', 'annotations.xml', LINKS),
    ('label_studio', 'img a.png', 'project-3.json', []),
    ('label_studio_minimal', 'img a.png', 'project-3.json', []),
    ('labelme', 'a.png', '', []),
    ('labelme_embedded', None, '', []),
    ('deeplabcut', 'labeled-data/video1/a.png', '', LINKS),
    ('deeplabcut_three', 'labeled-data/video1/a.png', 'config.yaml', LINKS),
    ('deeplabcut_three', 'labeled-data/video1/a.png', as_h5, LINKS),
    (None, 'a.png', sleap, LINKS),
    ('ultralytics', 'images/train/a.png', '', []),
    # Valid, but written in another way than usual.
    ('coco_odd', 'images/a.png', 'labels.json', LINKS),
    ('cvat_images_odd', 'images/a.png', 'annotations.xml', LINKS),
    ('label_studio_odd', 'img a.png', 'project-3.json', []),
    ('labelme_odd', 'a.png', '', []),
    ('ultralytics_odd', 'images/a.png', '', []),
])
def test_every_tool_gives_the_same_table(export, image, path, links, tmp_path):
    folder = tmp_path / 'labels'
    if export is not None:
        shutil.copytree(EXPORTS / export, folder)
    if image is not None:
        write_image(folder / image)
    path = path(folder) if callable(path) else folder / path
    table = read_labels(path, tmp_path / 'unpacked')
    keypoints = table.choose()
    assert keypoints.names == NAMES and keypoints.links == links
    assert keypoints.flips == dict(left_ear='right_ear', right_ear='left_ear')
    (found, ), root, remarks = collect_images(
        table.images, folder if path.suffix != '.zip' else
        tmp_path / 'unpacked', tmp_path / 'written')
    assert not remarks and found.size == (WIDTH, HEIGHT)
    assert cv2.imread(str(root / found.file)).shape == (HEIGHT, WIDTH, 3)
    assert len(found.people) == len(POINTS)
    for person, points in zip(found.people, POINTS):
        assert list(person.points) == list(points)
        for name, place in points.items():
            # Label Studio's percent and Ultralytics' shares are rounded.
            np.testing.assert_allclose(person.points[name][:2], place,
                                       atol=1e-6)
            occluded = name == 'nose' and str(export).removesuffix('_odd') in (
                'coco', 'roboflow', 'cvat_images', 'cvat_video')
            assert person.points[name][2] == (1 if occluded else 2)


def test_lightning_pose_has_one_animal_without_a_name(tmp_path):
    table = read_labels(EXPORTS / 'lightning_pose/CollectedData.csv', tmp_path)
    assert table.choose().names == ['nose', 'tail']
    assert table.images[0].people[0].points == dict(nose=(1.5, 2, 2))


@pytest.mark.parametrize('names, pairs', [
    (['left_ear', 'right_ear', 'nose'], {('left_ear', 'right_ear')}),
    (['earLeft', 'earRight'], {('earLeft', 'earRight')}),
    (['LEar', 'REar', 'Liver', 'Rear'], {('LEar', 'REar')}),
    (['ear_L', 'ear_R', 'tail'], {('ear_L', 'ear_R')}),
    (['hand.l', 'hand.r'], {('hand.l', 'hand.r')}),
    (['paw2LF_top', 'paw3RF_top', 'paw1LH_top', 'paw4RH_top'],
     {('paw2LF_top', 'paw3RF_top'), ('paw1LH_top', 'paw4RH_top')}),
    (['left_1', 'left_2', 'right_1', 'right_2'],
     {('left_1', 'right_1'), ('left_2', 'right_2')}),
    (['tail', 'collar', 'lead'], set()),
])
def test_left_and_right_are_found_by_name(names, pairs):
    expected = {**dict(pairs), **{b: a for a, b in pairs}}
    assert flip_pairs(names) == expected


@pytest.mark.parametrize('file', sorted((EXPORTS / 'refused').iterdir()),
                         ids=lambda file: file.name)
def test_other_files_are_named_in_one_line(file, tmp_path):
    with pytest.raises(ValueError) as raised:
        read_labels(file, tmp_path).choose()
    assert str(file) in str(raised.value)


def test_one_of_several_categories_is_chosen(tmp_path):
    table = read_labels(EXPORTS / 'coco_two/labels.json', tmp_path)
    with pytest.raises(ValueError):
        table.choose()
    assert table.choose('mouse (id 1)').names == ['door']
