"""docs/paper.md, followed with miniature downloads."""
import json
import re

import cv2
import h5py
import numpy as np
import pytest
from download_files import write_flic_downloads, write_lsp_downloads
from matlab_files import (
    mpii_person,
    mpii_point,
    write_head_boxes,
    write_official_mpii,
)
from page import ROOT, commands, follow, page_text
from scipy.io import loadmat

from hourglass_plugin.visualization import read_image

PAGE = page_text('docs/paper.md')
NOT_FOLLOWED = {
    'bash tools/dist_train.sh configs/body_2d_keypoint/topdown_heatmap/mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py 8':
    'needs 8 GPUs; tests/tools/test_tool_runs.py trains in two processes',
}
FEWER = '--allow-other-counts'
# One step of a narrow network on three people.
SHORT = ('--cfg-options', 'train_cfg.max_epochs=1',
         'model.backbone.feat_channels=8', 'train_dataloader.num_workers=0',
         'train_dataloader.persistent_workers=False',
         'val_dataloader.num_workers=0',
         'val_dataloader.persistent_workers=False')


def write_mpii_downloads(folder):
    """The official file, head boxes and photographs of eight people.

    Four have head boxes and are thereby the validation people; the last one
    is to be tested. Joints of the four (4, 16, 2), counted from 1.
    """
    rng = np.random.default_rng(0)
    joints = rng.integers(20, 100, (7, 16, 2)).astype(float)
    folder.mkdir()
    (folder / 'images').mkdir()
    images = []
    for index in range(8):
        name = f'{index:09d}.jpg'
        cv2.imwrite(
            str(folder / 'images' / name),
            rng.integers(0, 255, (120, 120, 3), np.uint8))
        points = None if index == 7 else [
            mpii_point(joint, *place, is_visible=1)
            for joint, place in enumerate(joints[index])
        ]
        person = mpii_person(points, place=(60, 60), scale=0.5)
        images.append((name, int(index < 7), [person], [1]))
    write_official_mpii(folder / 'mpii_human_pose_v1_u12_1.mat', images)
    validation = [
        dict(joints=joints[index], joints_vis=[1] * 16)
        for index in range(3, 7)
    ]
    # 40 pixels to the right, 30 down: 0.6 times the diagonal of 50 is 30.
    write_head_boxes(folder / 'mpii_gt_val.mat', validation,
                     [[[40, 30], [80, 60]]] * 4)
    return joints[3:]


@pytest.fixture(scope='module')
def followed(clone):
    """The clone after every command of the page, and what they printed."""
    truth = write_mpii_downloads(clone / 'mpii')
    for name, write in (('flic', write_flic_downloads),
                        ('lsp', write_lsp_downloads)):
        (clone / name).mkdir()
        write(clone / name)
    (clone / 'mpii_gt_val.mat').write_bytes(
        (clone / 'mpii' / 'mpii_gt_val.mat').read_bytes())
    with h5py.File(clone / 'theirs.h5', 'w') as file:
        file['preds'] = truth
    # 15 pixels are half of the head size, 16 are more.
    np.save(clone / 'ours.npy', truth + ([[[15, 0]]] * 3 + [[[16, 0]]]))
    checkpoint = 'work_dirs/td-hm_hg8_1xb6-220e_mpii-256x256/epoch_1.pth'
    printed = {}
    for command in commands(PAGE):
        if command in NOT_FOLLOWED:
            continue
        ours, more = command, ()
        prepared = re.search(r'prepare_(\w+)\.py DOWNLOADS', command)
        if prepared:
            ours = command.replace('DOWNLOADS', prepared[1])
            more = [FEWER]
        elif 'train.py' in command or 'test.py' in command:
            ours = command.replace('epoch_220', 'epoch_1').replace(
                'CONFIG CHECKPOINT',
                f'configs/body_2d_keypoint/topdown_heatmap/mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py {checkpoint}')
            more = (*SHORT, *['--out', 'scores.json'] * ('test.py' in command))
        printed[command] = follow(ours, clone, *more)
    return clone, printed


def test_the_page_has_what_is_left_out():
    assert set(NOT_FOLLOWED) < set(commands(PAGE))


def test_prepared_data_sets(followed):
    clone, _ = followed
    counts = {
        file.stem: len(json.loads(file.read_text()))
        for file in clone.glob('data/*/annotations/*.json')
    }
    assert counts == dict(
        mpii_train=3,
        mpii_val=4,
        mpii_test=1,
        flic_train=1,
        flic_test=1,
        lsp_train=3,
        lsp_test=1)


def test_the_paper_s_recipe_trains_and_prints_its_table(followed):
    clone, printed = followed
    trained, = (text for line, text in printed.items() if 'train.py' in line)
    assert 'Epoch(train)' in trained
    for name in re.findall(r'`(Mean|All|Head|AKEW)`', PAGE):
        assert re.search(rf'\b{name}\b', trained), name
    # The page tells which checkpoint is the best.
    best = re.search(r'`(best_\S+?)`', PAGE)[1]
    assert list((clone / 'work_dirs/td-hm_hg8_1xb6-220e_mpii-256x256').glob(best))


def test_names_of_the_scores(followed):
    clone, _ = followed
    scores = json.loads((clone / 'scores.json').read_text())
    names = re.findall(r'`(mpii/\S+?)`', PAGE)
    assert len(names) == 3
    assert set(names) < set(scores)


def test_comparison_of_prediction_files(followed):
    clone, printed = followed
    (scored, ) = [
        text for line, text in printed.items() if 'score_predictions' in line
    ]
    comparison = scored.split('Comparison')[1]
    # Of four people three are within half of the head size.
    assert re.search(r'theirs\.h5 .*100\.0', comparison)
    assert re.search(r'ours\.npy .*75\.0', comparison)
    assert read_image(clone / 'curves.png').ndim == 3


def test_official_file(followed):
    clone, _ = followed
    assert loadmat(str(clone / 'FILE.mat'))['pred'].shape == (1, 4)


def test_configs_that_the_page_names_are_there():
    found = []
    for folder, sizes, end in re.findall(
            r'`configs/(\w+)/hg\{([\d,]+)\}(\w+\.py)`', PAGE):
        found += [ROOT / f'configs/{folder}/hg{size}{end}'
                  for size in sizes.split(',')]
    for name in re.findall(r'`(hg\dx?\d?_?\w+)`', PAGE):
        found.append(ROOT / f'configs/ablations/{name}_256x256.py')
    assert len(found) == 16
    assert [path for path in found if not path.is_file()] == []
