"""The drawn data set: poses, pictures, files."""
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat
from synthetic_people import Settings, is_complete, make_sample, write_data_set
from synthetic_people.canvas import Canvas
from synthetic_people.clothing import random_outfit
from synthetic_people.figure import Projection, draw_person, head_box
from synthetic_people.pose import ball_joint, rotation, sample_figure

from hourglass_plugin.datasets.pose_datasets import HourglassMPIIDataset
from hourglass_plugin.skeletons import MPII

SETTINGS = Settings(num_train=5, num_val=3, seed=7)
TOOL = Path(__file__).parents[2] / 'tools' / 'generate_synthetic_people.py'
DOWN = np.array([0.0, -1.0, 0.0])


def _write(folder, settings=SETTINGS, **arguments):
    return list(write_data_set(folder, settings, **arguments))


def _contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and path.suffix != '.mat'
    }


@pytest.fixture(scope='module')
def data_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp('synthetic') / 'people'
    assert _write(folder) == [1, 2, 3, 4, 5, 6, 7, 8]
    return folder


# Poses -----------------------------------------------------------------


def test_limbs_move_as_told():
    # An arm that hangs, is held level in front, level at its own side, up.
    for side in (1, -1):
        np.testing.assert_allclose(
            ball_joint(side, 0, 50, 0) @ DOWN, DOWN, atol=1e-12)
        np.testing.assert_allclose(
            ball_joint(side, 90, 0, 0) @ DOWN, [0, 0, 1], atol=1e-12)
        np.testing.assert_allclose(
            ball_joint(side, 90, 90, 0) @ DOWN, [side, 0, 0], atol=1e-12)
        np.testing.assert_allclose(
            ball_joint(side, 180, 30, 0) @ DOWN, [0, 1, 0], atol=1e-12)
        # Bent by 90 degrees a hanging arm's forearm points forward, twisted
        # by 90 outward, and an arm held aside has it point forward too.
        bend = rotation('x', -90)
        np.testing.assert_allclose(
            ball_joint(side, 0, 70, 0) @ bend @ DOWN, [0, 0, 1], atol=1e-12)
        np.testing.assert_allclose(
            ball_joint(side, 0, 70, 90) @ bend @ DOWN, [side, 0, 0],
            atol=1e-12)
        np.testing.assert_allclose(
            ball_joint(side, 90, 90, 0) @ bend @ DOWN, [0, 0, 1], atol=1e-12)


def test_unknown_axis_is_refused():
    with pytest.raises(ValueError, match="'w'"):
        rotation('w', 10)


@pytest.mark.parametrize('index', range(40))
def test_bones_keep_their_lengths_and_joints_their_limits(index):
    figure = sample_figure(np.random.default_rng(index))
    build = figure.build

    def bone(start, end):
        return figure.joint(end) - figure.joint(start)

    for side in ('left', 'right'):
        upper = bone(f'{side}_shoulder', f'{side}_elbow')
        fore = bone(f'{side}_elbow', f'{side}_wrist')
        thigh = bone(f'{side}_hip', f'{side}_knee')
        shin = bone(f'{side}_knee', f'{side}_ankle')
        assert np.linalg.norm(upper) == pytest.approx(build.upper_arm)
        assert np.linalg.norm(fore) == pytest.approx(build.forearm)
        assert np.linalg.norm(thigh) == pytest.approx(build.thigh)
        assert np.linalg.norm(shin) == pytest.approx(build.shin)
        # cos of the bend: 1 is straight, 145 and 140 degrees the limits.
        elbow = upper @ fore / (build.upper_arm * build.forearm)
        knee = thigh @ shin / (build.thigh * build.shin)
        assert elbow >= np.cos(np.radians(145)) - 1e-9
        assert knee >= np.cos(np.radians(140)) - 1e-9
    hips = bone('right_hip', 'left_hip')
    assert np.linalg.norm(hips) == pytest.approx(2 * build.hip_half)
    assert np.linalg.norm(bone('upper_neck',
                               'head_top')) == pytest.approx(build.head)
    np.testing.assert_array_equal(figure.joint('pelvis'), 0)


def test_knees_bend_backward():
    # Seen along the axis of the knee (the hips' line, for legs that are not
    # spread), the shin turns backward: behind the thigh's prolongation.
    turned = 0
    for index in range(60):
        figure = sample_figure(np.random.default_rng(index))
        if figure.legs not in ('running', 'sitting'):
            continue
        for side in ('left', 'right'):
            thigh = figure.joint(f'{side}_knee') - figure.joint(f'{side}_hip')
            shin = figure.joint(f'{side}_ankle') - figure.joint(f'{side}_knee')
            # x points left: thigh down, shin back gives -y x -z = +x.
            assert np.cross(thigh, shin)[0] > -0.02
            turned += 1
    assert turned > 10


# Pictures --------------------------------------------------------------


def _drawn(figure, view, outfit=None, scale=120.0):
    canvas = Canvas(
        np.full((400, 400, 3), 7, np.float32), np.array([0.0, 0.0, 1.0]), 1.0)
    projection = Projection(view, scale, np.array([200.0, 200.0]))
    if outfit is None:
        outfit = random_outfit(np.random.default_rng(0), skirt=False)
    draw_person(canvas, figure, outfit, projection)
    return canvas, projection


@pytest.mark.parametrize('index', range(25))
def test_annotated_joints_lie_inside_the_drawn_body(index):
    rng = np.random.default_rng(index)
    figure = sample_figure(rng)
    view = rotation('y', rng.uniform(-180, 180))
    canvas, projection = _drawn(figure, view)
    for name, (x, y, z) in zip(MPII.joints, projection.points(figure.joints)):
        surface = canvas.depth[round(y), round(x)]
        # The skin is in front of the joint. The top of the head is on the
        # outline itself, where its own pixel may be missed.
        if name == 'head_top':
            area = canvas.depth[int(y) - 2:int(y) + 4, int(x) - 2:int(x) + 4]
            assert np.isfinite(area).any()
        else:
            assert surface >= z - 0.5, name


def test_left_is_the_persons_left_and_faces_are_in_front():
    figure = sample_figure(np.random.default_rng(3))
    frames = dict(figure.frames, head=np.eye(3))
    upright = figure.joints.copy()
    upright[9] = upright[8] + (0, figure.build.head, 0)
    figure = replace(figure, joints=upright, frames=frames)
    skin, hair = np.float32([20, 40, 220]), np.float32([200, 60, 10])
    outfit = replace(
        random_outfit(np.random.default_rng(0), False),
        skin=skin,
        hair=hair,
        hair_style='short',
        hat=None,
        beard=False,
        glasses=False)
    hips = [MPII.joints.index(name) for name in ('left_hip', 'right_hip')]
    for yaw, expected in ((0, skin), (180, hair)):
        canvas, projection = _drawn(figure, rotation('y', yaw), outfit)
        left, right = projection.points(figure.joints)[hips]
        # From the front the left hip is on the image's right.
        assert (left[0] > right[0]) == (yaw == 0)
        x1, y1, x2, y2 = head_box(figure, projection)
        # A cheek: a quarter of the width from the side, below the eyes.
        pixel = canvas.image[int(y1 + 0.6 * (y2 - y1)),
                             int(x1 + 0.25 * (x2 - x1))]
        distances = [np.linalg.norm(pixel - color) for color in (skin, hair)]
        nearer = (skin, hair)[int(np.argmin(distances))]
        np.testing.assert_array_equal(nearer, expected)


def test_head_box_holds_the_head():
    figure = sample_figure(np.random.default_rng(4))
    figure = replace(figure, frames=dict(figure.frames, head=np.eye(3)))
    projection = Projection(np.eye(3), 100.0, np.array([50.0, 60.0]))
    x1, y1, x2, y2 = head_box(figure, projection)
    # Facing the camera: as tall as neck to top, two thirds as wide.
    assert y2 - y1 == pytest.approx(100 * figure.build.head)
    assert x2 - x1 == pytest.approx(66 * figure.build.head)
    middle = projection.points(
        (figure.joint('upper_neck') + figure.joint('head_top')) / 2)
    assert (x1 + x2) / 2 == pytest.approx(middle[0])
    assert (y1 + y2) / 2 == pytest.approx(middle[1])


def test_a_sample_depends_on_its_numbers_only():
    first = make_sample(5, 'train', 11)
    np.random.seed(0)
    cv2.setRNGSeed(123)
    make_sample(5, 'train', 3)
    np.random.rand(100)
    again = make_sample(5, 'train', 11)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.joints, again.joints)
    assert first.scale == again.scale
    for other in (make_sample(6, 'train', 11), make_sample(5, 'val', 11),
                  make_sample(5, 'train', 12)):
        assert not np.array_equal(first.joints, other.joints)


def test_a_sample_leaves_global_randomness_alone():
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    make_sample(0, 'val', 0)
    assert np.random.rand() == expected


@pytest.mark.parametrize('arguments, named', [((0, 'test', 0), "'test'"),
                                              ((-1, 'val', 0), 'seed=-1'),
                                              ((0, 'val', -2), 'index=-2')])
def test_wrong_numbers_are_refused(arguments, named):
    with pytest.raises(ValueError, match=named):
        make_sample(*arguments)


def test_people_fill_their_crops_and_some_are_cut():
    samples = [make_sample(2, 'val', index) for index in range(60)]
    whole = 0
    for sample in samples:
        height, width = sample.image.shape[:2]
        inside = ((sample.joints >= 0) &
                  (sample.joints <= (width - 1, height - 1))).all(1)
        np.testing.assert_array_equal(sample.annotated, inside)
        # Upper neck and head top are always there: each has a head to see.
        assert inside[[8, 9]].all()
        if not inside.all():
            continue
        whole += 1
        # The paper's crop, a square of 250 scale that lies 15 scale lower,
        # holds them; who crouches fills less of it than who stands.
        middle = sample.center + (0, 15 * sample.scale)
        reach = np.abs(sample.joints - middle).max()
        assert 0.15 * 250 * sample.scale < reach < 0.5 * 250 * sample.scale
    # One in four is cut on purpose; the count of 60 has deviation 3.4.
    assert 30 <= whole <= 57


# Files -----------------------------------------------------------------


def test_files_say_what_was_drawn(data_set):
    for split, count in (('train', 5), ('val', 3)):
        people = json.loads(
            (data_set / f'annotations/mpii_{split}.json').read_text())
        assert len(people) == count
        for index, person in enumerate(people):
            sample = make_sample(7, split, index)
            image = cv2.imread(str(data_set / 'images' / person['image']))
            assert image.shape == sample.image.shape
            # JPEG of quality 90 keeps noise and edges roughly.
            difference = image.astype(float) - sample.image
            assert np.abs(difference).mean() < 8
            joints = np.array(person['joints'])
            annotated = np.array(person['joints_vis']) == 1
            np.testing.assert_array_equal(annotated, sample.annotated)
            # 1-based and rounded to 0.01.
            np.testing.assert_allclose(
                joints[annotated], sample.joints[annotated] + 1, atol=0.0051)
            np.testing.assert_array_equal(joints[~annotated], -1)
            np.testing.assert_allclose(
                person['center'], sample.center + 1, atol=0.0051)
            assert person['scale'] == pytest.approx(sample.scale, abs=5.1e-5)


def test_head_boxes_are_in_the_evaluation_file(data_set):
    people = json.loads((data_set / 'annotations/mpii_val.json').read_text())
    content = loadmat(str(data_set / 'annotations/mpii_gt_val.mat'))
    assert content['headboxes_src'].shape == (2, 2, 3)
    assert content['pos_gt_src'].shape == (16, 2, 3)
    assert content['jnt_missing'].shape == (16, 3)
    # rank = right ankle, ..., lwri = left wrist: the order of MPII.
    short = [name.item() for name in content['dataset_joints'][0]]
    assert [name[0] for name in short[:6]] == list('rrrlll')
    assert [name[0] for name in short[10:]] == list('rrrlll')
    assert short[6:10] == ['pelv', 'thor', 'neck', 'head']
    for index, person in enumerate(people):
        sample = make_sample(7, 'val', index)
        np.testing.assert_allclose(
            content['headboxes_src'][..., index].reshape(4), sample.head + 1)
        missing = content['jnt_missing'][:, index] == 1
        np.testing.assert_array_equal(missing, ~sample.annotated)
        np.testing.assert_array_equal(
            content['pos_gt_src'][~missing, :, index],
            np.array(person['joints'])[~missing])


def test_the_mpii_data_set_reads_it(data_set):
    dataset = HourglassMPIIDataset(
        data_root=str(data_set),
        ann_file='annotations/mpii_val.json',
        headbox_file='annotations/mpii_gt_val.mat',
        data_prefix=dict(img='images/'),
        test_mode=True)
    assert len(dataset) == 3
    for index in range(3):
        record, sample = dataset[index], make_sample(7, 'val', index)
        # 0-based again; rounded to 0.01 in the file.
        np.testing.assert_allclose(
            record['keypoints'][0][sample.annotated],
            sample.joints[sample.annotated],
            atol=0.0052)
        np.testing.assert_array_equal(record['keypoints_visible'][0],
                                      sample.annotated)
        diagonal = np.linalg.norm(sample.head[2:] - sample.head[:2])
        assert record['head_size'].item() == pytest.approx(
            0.6 * diagonal, rel=1e-5)
        assert Path(record['img_path']).is_file()


def test_two_processes_write_the_same_bytes(data_set, tmp_path):
    _write(tmp_path / 'people', num_workers=2)
    assert _contents(tmp_path / 'people') == _contents(data_set)


def test_a_complete_data_set_is_recognised(data_set):
    assert is_complete(data_set, SETTINGS)
    assert not is_complete(data_set, replace(SETTINGS, seed=8))
    assert not is_complete(data_set, replace(SETTINGS, num_val=2))
    assert not is_complete(data_set / 'images', SETTINGS)


def test_an_interrupted_run_leaves_nothing_that_looks_finished(tmp_path):
    folder = tmp_path / 'people'
    running = write_data_set(folder, SETTINGS)
    for _ in range(4):
        next(running)
    running.close()
    assert not folder.exists()
    assert not is_complete(folder, SETTINGS)
    _write(folder)
    assert is_complete(folder, SETTINGS)
    # What was left of the first run is gone.
    assert [path.name for path in tmp_path.iterdir()] == ['people']


def test_a_damaged_data_set_is_written_anew(tmp_path):
    folder = tmp_path / 'people'
    _write(folder)
    (folder / 'images' / 'val_000001.jpg').unlink()
    assert not is_complete(folder, SETTINGS)
    _write(folder)
    assert is_complete(folder, SETTINGS)


def test_other_settings_replace_only_by_force(tmp_path):
    folder = tmp_path / 'people'
    small = Settings(1, 1)
    _write(folder, small)
    with pytest.raises(FileExistsError, match='num_train 1 instead of 5'):
        _write(folder)
    assert is_complete(folder, small)
    _write(folder, force=True)
    assert is_complete(folder, SETTINGS)


def test_a_foreign_folder_is_never_touched(tmp_path):
    (tmp_path / 'mine.txt').write_text('precious')
    with pytest.raises(FileExistsError, match='not written by'):
        _write(tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


@pytest.mark.parametrize('arguments', [
    dict(num_train=0),
    dict(num_val=0),
    dict(seed=-1),
    dict(quality=0),
    dict(quality=101)
])
def test_settings_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Settings(**arguments)


def test_the_tool_writes_once(tmp_path):

    def run(*arguments):
        return subprocess.run([
            sys.executable,
            str(TOOL), '--out',
            str(tmp_path / 'people'), '--num-train', '2', '--num-val', '1',
            *arguments
        ],
                              capture_output=True,
                              text=True,
                              check=False)

    first = run('--workers', '1')
    assert first.returncode == 0, first.stderr
    assert '3/3' in first.stderr  # the progress bar
    assert is_complete(tmp_path / 'people', Settings(2, 1))
    settings = (tmp_path / 'people' / 'settings.json').stat().st_mtime_ns
    second = run()
    assert second.returncode == 0
    assert 'is complete' in second.stdout
    assert (tmp_path / 'people' /
            'settings.json').stat().st_mtime_ns == settings
    other = run('--seed', '1')
    assert other.returncode == 1
    assert '--force' in other.stderr
    assert 'Traceback' not in other.stderr
