"""docs/custom_dataset.md, followed by the letter with a drawn data set."""
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from page import ROOT, commands, follow, page_text, pieces

from hourglass_plugin.visualization import read_image

PAGE = page_text('docs/custom_dataset.md')
COMMANDS = commands(PAGE)
NAMES = ['nose', 'left_ear', 'right_ear', 'tail']


def write_dogs(folder, name, count, rng):
    """Draw dogs as sticks with four ends, and annotate them."""
    images, annotations = [], []
    for index in range(count):
        image = rng.integers(90, 130, (120, 160, 3), np.uint8)
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), np.sin(angle)],
                         [-np.sin(angle), np.cos(angle)]])
        joints = np.array([[40, 0], [20, -12], [20, 12], [-40, 0]]) @ turn
        joints += rng.uniform(55, 65, 2) + [20, 0]
        for joint, color in zip(joints, (0, 80, 160, 240)):
            cv2.circle(image,
                       joint.round().astype(int).tolist(), 5,
                       (color, 255 - color, 0), -1)
        cv2.imwrite(str(folder / 'images' / f'{name}{index}.png'), image)
        images.append(
            dict(
                id=index,
                file_name=f'{name}{index}.png',
                width=160,
                height=120))
        left_top = joints.min(axis=0) - 5
        annotations.append(
            dict(
                id=index,
                image_id=index,
                category_id=1,
                bbox=[*left_top, *(joints.max(axis=0) + 5 - left_top)],
                keypoints=np.column_stack([joints, [2, 2, 1,
                                                    2]]).ravel().tolist()))
    # What COCO's files have and nobody can learn from.
    annotations += [
        dict(annotations[0], id=count, iscrowd=1),
        dict(annotations[0], id=count + 1, keypoints=[0] * 12),
    ]
    (folder / 'annotations' / f'{name}.json').write_text(
        json.dumps(
            dict(
                images=images,
                annotations=annotations,
                categories=[dict(id=1, name='dog')])))


@pytest.fixture(scope='module')
def project(clone):
    """A clone as the page expects it, with data/custom_dataset."""
    data = clone / 'data' / 'custom_dataset'
    for name in ('images', 'annotations'):
        (data / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    write_dogs(data, 'train', 4, rng)
    write_dogs(data, 'val', 3, rng)
    return clone


@pytest.fixture(scope='module')
def followed(project):
    """What each command of the page printed, in the page's order."""
    printed = {}
    for command in COMMANDS:
        # The shortened training ends after two epochs.
        printed[command] = follow(
            command.replace('epoch_100', 'epoch_2'), project)
        if command.startswith('cp '):
            # The page's changes, and a network that trains in seconds.
            config = Path(printed[command])
            text = config.read_text()
            for old, new in (('max_epochs = 100', 'max_epochs = 2'),
                             ('val_interval = 10', 'val_interval = 2')):
                assert old in text
                text = text.replace(old, new)
            config.write_text(
                text + "\nmodel['backbone']['feat_channels'] = 16\n"
                "train_dataloader.update(batch_size=2, num_workers=0,\n"
                "                        persistent_workers=False)\n"
                "val_dataloader.update(batch_size=2, num_workers=0,\n"
                "                      persistent_workers=False)\n")
    return printed


def printed_by(followed, end):
    """The output of the one command with this end."""
    (output, ) = [
        text for command, text in followed.items() if command.endswith(end)
    ]
    return output


def test_the_pages_commands_are_all_there():
    programs = [
        Path(command.split()[1]).stem for command in COMMANDS
        if command.startswith('python')
    ]
    assert programs == [
        'browse_dataset', 'browse_dataset', 'train', 'test', 'predict', 'train'
    ]
    config = re.search(r'\]\(\.\./(\S+)\)', PAGE)[1]
    assert (ROOT / config).is_file()
    assert f'cp {config} ' in COMMANDS[0]


def test_the_pages_annotation_file_is_read(tmp_path):
    init_default_scope('mmpose')
    (example, ) = [text for language, text in pieces(PAGE)
                   if language == 'json']
    (tmp_path / 'a.json').write_text(example)
    config = Config.fromfile(
        str(ROOT / 'configs/custom_dataset/td-hm_hg2_1xb16-100e_custom-256x256.py'))
    dataset = DATASETS.build(
        dict(
            type='CustomKeypointDataset',
            metainfo=config.metainfo,
            ann_file=str(tmp_path / 'a.json')))
    (record, ) = dataset
    assert record['bbox'].tolist() == [[100, 50, 400, 250]]
    assert record['keypoints'][0, :3].tolist() == [[120, 90], [150, 60],
                                                   [165, 75]]
    assert record['keypoints_visible'].tolist() == [[1, 1, 1, 0]]
    assert dataset.metainfo['flip_indices'] == [0, 2, 1, 3]


def test_browsed_sheets_show_what_can_be_used(followed, project):
    # Four dogs, crop and heatmaps of 256 each; the crowd and the dog without
    # keypoints are not among them.
    sheet = read_image(project / 'browse' / 'train_01.png')
    assert sheet.shape[1] == 8 + 4 * (2 * 256 + 2 + 8)
    assert sheet.shape[0] < 2 * 256
    assert read_image(project / 'browse' /
                      'val_01.png').shape[1] == 8 + 3 * (256 + 8)


def test_training_evaluates_and_says_what_was_left_out(followed, project):
    output = printed_by(followed, 'train.py configs/custom_dataset/my_dogs.py')
    work = project / 'work_dirs' / 'my_dogs'
    assert (work / 'epoch_2.pth').is_file()
    # The test's own log lies beside; the file system gives either first.
    log = ''.join(path.read_text() for path in work.glob('*/*.log'))
    assert 'train.json: 4 of 6 annotations are used' in log
    assert re.search(r'nose +ear +tail +Mean', output)
    assert 'custom_dataset/BoxPCK@0.1' in output


def test_scores_and_pictures(followed, project):
    scores = json.loads((project / 'scores.json').read_text())
    assert {'custom_dataset/BoxPCK@0.2',
            'custom_dataset/BoxPCK@0.1/tail'} <= set(scores)
    assert sorted(file.name for file in (project / 'pictures').iterdir()) == [
        'sheet.jpg', *(f'val{index}_{index}.jpg' for index in range(3))
    ]


def test_predictions(followed, project):
    result = json.loads(
        (project / 'predictions' / 'predictions.json').read_text())
    assert result['joints'] == NAMES
    assert len(result['predictions']) == 7
    for image in result['predictions']:
        (dog, ) = image['people']
        # Looked for, as no box was given: not the whole image.
        assert len(dog['bbox']) == 4 and dog['bbox'] != [0, 0, 160, 120]
        assert np.array(dog['keypoints']).shape == (4, 3)
        assert (project / 'predictions' / image['file']).is_file()


def test_training_starts_from_own_weights(followed, project):
    output = printed_by(followed, 'load_from=work_dirs/my_dogs/epoch_100.pth')
    assert 'epoch_2.pth' in output
    assert (project / 'work_dirs' / 'more_dogs' / 'epoch_2.pth').is_file()
