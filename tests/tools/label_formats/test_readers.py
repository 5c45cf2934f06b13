"""Small files of each labelling tool, as the tools write them."""
import base64
import csv
import json
import zipfile

import cv2
import numpy as np
import pytest
import yaml
from label_formats.project import collect_images
from label_formats.reading import read_labels
from label_formats.table import flip_pairs

WIDTH, HEIGHT = 80, 60
#: The labels of every file: two animals, a point occluded, one not labelled.
POINTS = [
    dict(nose=(10.0, 20.0), left_ear=(12.0, 24.0), right_ear=(16.0, 21.5)),
    dict(nose=(50.0, 30.0), left_ear=(54.0, 33.0)),
]
NAMES = ['nose', 'left_ear', 'right_ear']
FLIPS = dict(left_ear='right_ear', right_ear='left_ear')


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    return path


def coco(folder, file='annotations/person_keypoints_default.json',
         images='images', **category):
    """Write COCO's format as CVAT does: with a category without keypoints."""
    write_image(folder / images / 'a.png')
    annotations = [
        dict(id=index + 1, image_id=1, category_id=2, iscrowd=0, area=900.0,
             bbox=[5.0, 15.0, 30.0, 30.0], num_keypoints=len(points),
             attributes=dict(occluded=False), segmentation=[],
             keypoints=[x for name in NAMES for x in (
                 *points.get(name, (0.0, 0.0)),
                 0 if name not in points else 1 if name == 'nose' else 2)])
        for index, points in enumerate(POINTS)
    ]
    content = dict(
        licenses=[], info={},
        categories=[dict(id=1, name='cage', supercategory=''),
                    dict(id=2, name='mouse', keypoints=NAMES,
                         skeleton=[[1, 2], [1, 3]], **category)],
        images=[dict(id=1, file_name='a.png', width=WIDTH, height=HEIGHT)],
        annotations=annotations)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'\xef\xbb\xbf' + json.dumps(content).encode())
    return path


def zipped(folder):
    with zipfile.ZipFile(folder.parent / 'export.zip', 'w') as archive:
        for file in folder.rglob('*'):
            archive.write(file, file.relative_to(folder))
    return folder.parent / 'export.zip'


def cvat_zip(folder):
    coco(folder)
    return zipped(folder)


def roboflow_zip(folder):
    coco(folder, 'train/_annotations.coco.json', 'train')
    return zipped(folder)


CVAT_META = """<meta><task><labels>
<label><name>mouse</name><type>skeleton</type><svg>
&lt;line data-type="edge" data-node-from="1" data-node-to="2"&gt;&lt;/line&gt;
&lt;line data-node-from="1" data-node-to="3" data-type="edge"&gt;&lt;/line&gt;
&lt;circle r="1.5" data-element-id="1" data-node-id="1"
 data-label-name="nose"&gt;&lt;/circle&gt;
&lt;circle data-node-id="2" data-label-name="left_ear"&gt;&lt;/circle&gt;
&lt;circle data-node-id="3" data-label-name="right_ear"&gt;&lt;/circle&gt;
</svg></label>
<label><name>nose</name><type>points</type><parent>mouse</parent></label>
<label><name>left_ear</name><type>points</type><parent>mouse</parent></label>
<label><name>right_ear</name><type>points</type><parent>mouse</parent></label>
</labels></task><source>clip.mp4</source></meta>"""


def cvat_skeleton(points, opening):
    return opening + ''.join(
        '<points label="{}" outside="{:d}" occluded="{:d}" keyframe="1" '
        'points="{:.2f},{:.2f}"></points>'.format(
            name, name not in points, name == 'nose',
            *points.get(name, (1.0, 1.0)))
        for name in NAMES) + '</skeleton>'


def cvat_images(folder):
    write_image(folder / 'images/a.png')
    body = ''.join(
        cvat_skeleton(points, '<skeleton label="mouse" z_order="0">')
        for points in POINTS)
    path = folder / 'annotations.xml'
    path.write_text(f'<annotations><version>1.1</version>{CVAT_META}<image '
                    f'id="0" name="a.png" width="{WIDTH}" height="{HEIGHT}">'
                    f'{body}</image></annotations>')
    return path


def cvat_video(folder):
    writer = cv2.VideoWriter(str(folder / 'clip.avi'),
                             cv2.VideoWriter.fourcc(*'MJPG'), 5,
                             (WIDTH, HEIGHT))
    for _ in range(5):
        writer.write(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    writer.release()
    body = ''.join(
        f'<track id="{index}" label="mouse">' + cvat_skeleton(
            points, '<skeleton frame="3" keyframe="1">') + cvat_skeleton(
                {}, '<skeleton frame="4" keyframe="1">') + '</track>'
        for index, points in enumerate(POINTS))
    path = folder / 'annotations.xml'
    path.write_text(f'<annotations>{CVAT_META}{body}</annotations>')
    return path


def label_studio(folder, minimal=False):
    write_image(folder / 'img a.png')
    results, boxes = [], []
    for person, points in enumerate(POINTS):
        boxes.append(
            dict(id=f'b{person}', type='rectanglelabels',
                 original_width=WIDTH, original_height=HEIGHT,
                 value=dict(x=[10, 55][person], y=25, width=30, height=50,
                            rotation=0, rectanglelabels=['mouse'])))
        results += [
            dict(id=f'{person}{name}', type='keypointlabels',
                 original_width=WIDTH, original_height=HEIGHT,
                 image_rotation=0,
                 value=dict(x=100 * x / WIDTH, y=100 * y / HEIGHT, width=0.4,
                            keypointlabels=[name]))
            for name, (x, y) in points.items()]
    task = dict(
        id=1, data=dict(img='/data/upload/3/0a1b2c3d-img%20a.png'),
        annotations=[dict(id=5, was_cancelled=False, result=results + boxes),
                     dict(id=6, was_cancelled=True, result=[])])
    if minimal:
        task = dict(
            id=1, img='/data/local-files/?d=x/img a.png', annotator=1,
            kp=[dict(each['value'], original_width=WIDTH,
                     original_height=HEIGHT) for each in results])
    path = folder / 'project-3.json'
    path.write_text(json.dumps([task]))
    return path


def label_studio_minimal(folder):
    return label_studio(folder, minimal=True)


def labelme(folder, embedded=False):
    image = write_image(folder / 'a.png')
    shapes = [
        dict(label=name, points=[list(place)], group_id=group, flags={},
             shape_type='point', description='')
        for group, points in enumerate(POINTS)
        for name, place in points.items()]
    (folder / 'a.json').write_text(json.dumps(dict(
        version='5.4.1', flags={}, shapes=shapes, imagePath='a.png',
        imageData=base64.b64encode(image.read_bytes()).decode()
        if embedded else None, imageHeight=HEIGHT, imageWidth=WIDTH)))
    if embedded:
        image.unlink()
    return folder


def labelme_embedded(folder):
    return labelme(folder, embedded=True)


def deeplabcut(folder, index=1):
    """Write a project with two animals and one point of the cage."""
    write_image(folder / 'labeled-data/video1/a.png')
    columns = [(f'pup{animal}', name, axis) for animal in (1, 2)
               for name in NAMES for axis in 'xy']
    values = [POINTS[animal].get(name, ('', ''))[axis] for animal in (0, 1)
              for name in NAMES for axis in (0, 1)]
    parts = ['labeled-data', 'video1', 'a.png']
    path = folder / 'labeled-data/video1/CollectedData_me.csv'
    with path.open('w', newline='') as file:
        writer = csv.writer(file)
        empty = [''] * (2 if index == 3 else 0)
        writer.writerow(['scorer', *empty, *['me'] * len(columns)])
        for row, name in enumerate(('individuals', 'bodyparts', 'coords')):
            writer.writerow([name, *empty, *(each[row] for each in columns)])
        writer.writerow([*(parts if index == 3 else ['/'.join(parts)]),
                         *values])
    (folder / 'config.yaml').write_text(yaml.safe_dump(dict(
        bodyparts='MULTI!', skeleton=[['nose', 'left_ear'],
                                      ['nose', 'right_ear']])))
    return folder


def deeplabcut_three(folder):
    return deeplabcut(folder, 3) / 'config.yaml'


def deeplabcut_h5(folder):
    pandas = pytest.importorskip('pandas')
    pytest.importorskip('tables')
    path = next(deeplabcut(folder, 3).rglob('*.csv'))
    table = pandas.read_csv(path, header=[0, 1, 2, 3], index_col=[0, 1, 2])
    table.to_hdf(path.with_suffix('.h5'), key='df_with_missing', mode='w')
    path.unlink()
    return path.with_suffix('.h5')


def sleap(folder):
    sleap_io = pytest.importorskip('sleap_io')
    image = write_image(folder / 'a.png')
    skeleton = sleap_io.Skeleton(
        nodes=list(NAMES), edges=[('nose', 'left_ear'), ('nose', 'right_ear')],
        symmetries=[('left_ear', 'right_ear')])
    instances = [
        sleap_io.Instance.from_numpy(
            np.array([points.get(name, (np.nan, np.nan)) for name in NAMES]),
            skeleton=skeleton) for points in POINTS]
    video = sleap_io.Video.from_filename([str(image)])
    sleap_io.Labels([
        sleap_io.LabeledFrame(video=video, frame_idx=0, instances=instances)
    ]).save(str(folder / 'labels.slp'))
    return folder / 'labels.slp'


def ultralytics(folder):
    write_image(folder / 'images/train/a.png')
    lines = []
    for points in POINTS:
        numbers = [x for name in NAMES for x in (
            points.get(name, (0, 0))[0] / WIDTH,
            points.get(name, (0, 0))[1] / HEIGHT, 2 if name in points else 0)]
        lines.append(' '.join(map(str, [0, 0.5, 0.5, 0.25, 0.25, *numbers])))
    label = folder / 'labels/train/a.txt'
    label.parent.mkdir(parents=True)
    label.write_text('\n'.join(lines))
    (folder / 'data.yaml').write_text(yaml.safe_dump(dict(
        path='.', train='images/train', val='images/train', kpt_shape=[3, 3],
        flip_idx=[0, 2, 1], names={0: 'mouse'}, kpt_names={0: NAMES})))
    return folder


LINKS = [('nose', 'left_ear'), ('nose', 'right_ear')]
CASES = [
    (coco, LINKS), (cvat_zip, LINKS), (roboflow_zip, LINKS),
    (cvat_images, LINKS), (cvat_video, LINKS), (label_studio, []),
    (label_studio_minimal, []), (labelme, []), (labelme_embedded, []),
    (deeplabcut, LINKS), (deeplabcut_three, LINKS), (deeplabcut_h5, LINKS),
    (sleap, LINKS), (ultralytics, [])]


@pytest.mark.parametrize('write, links', CASES,
                         ids=[each.__name__ for each, _ in CASES])
def test_every_tool_gives_the_same_table(write, links, tmp_path):
    folder = tmp_path / 'labels'
    folder.mkdir()
    path = write(folder)
    table = read_labels(path, tmp_path / 'unpacked')
    keypoints = table.choose()
    assert keypoints.names == NAMES and keypoints.flips == FLIPS
    assert keypoints.links == links
    (image, ), root, remarks = collect_images(
        table.images, folder if path.suffix != '.zip' else
        tmp_path / 'unpacked', tmp_path / 'written')
    assert not remarks and image.size == (WIDTH, HEIGHT)
    assert cv2.imread(str(root / image.file)).shape == (HEIGHT, WIDTH, 3)
    assert len(image.people) == len(POINTS)
    for person, points in zip(image.people, POINTS):
        assert list(person.points) == list(points)
        for name, place in points.items():
            # Label Studio's percent and Ultralytics' shares are rounded.
            np.testing.assert_allclose(person.points[name][:2], place,
                                       atol=1e-6)
            occluded = name == 'nose' and write in (
                coco, cvat_zip, roboflow_zip, cvat_images, cvat_video)
            assert person.points[name][2] == (1 if occluded else 2)


def test_lightning_pose_has_one_animal_without_a_name(tmp_path):
    write_image(tmp_path / 'labeled-data/a.png')
    file = tmp_path / 'CollectedData.csv'
    file.write_text('scorer,me,me,me,me\nbodyparts,nose,nose,tail,tail\n'
                    'coords,x,y,x,y\nlabeled-data/a.png,1.5,2,NaN,\n')
    table = read_labels(file, tmp_path)
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


@pytest.mark.parametrize('content', [
    '{"images": [{"id": 1}], "annotations": [], "categories": []}',
    '{}', '[', '[{"id": 1}]', ''])
def test_other_files_are_named_in_one_line(content, tmp_path):
    file = tmp_path / 'labels.json'
    file.write_text(content)
    with pytest.raises(ValueError) as raised:
        read_labels(file, tmp_path).choose()
    assert str(file) in str(raised.value)


def test_one_of_several_categories_is_chosen(tmp_path):
    path = coco(tmp_path)
    content = json.loads(path.read_text('utf-8-sig'))
    content['categories'][0]['keypoints'] = ['door']
    content['annotations'].append(dict(
        id=9, image_id=1, category_id=1, keypoints=[1, 2, 2]))
    path.write_text(json.dumps(content))
    table = read_labels(path, tmp_path)
    with pytest.raises(ValueError):
        table.choose()
    assert table.choose('cage').names == ['door']
