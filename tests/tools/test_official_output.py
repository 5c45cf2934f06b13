"""``tools/test.py --out-official``, in one process and in two."""
import json
import pickle
import socket

import cv2
import numpy as np
import pytest
import torch
from matlab_files import (
    mpii_person,
    mpii_point,
    struct_array,
    write_official_mpii,
)
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from scipy.io import loadmat, savemat
from tool_process import ROOT, run_tool

CONFIG = """
_base_ = [{runtime!r}]
pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(64, 64)),
    dict(type='PackPoseInputs')
]
test_dataloader = dict(
    batch_size=2,
    num_workers=0,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type={dataset!r},
        data_root={root!r},
        ann_file='people.json',
        data_prefix=dict(img='images'),
        test_mode=True,
        pipeline=pipeline))
test_evaluator = dict(type={metric!r})
val_cfg = None
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(
        type='StackedHourglass',
        num_stacks=1,
        num_keypoints={joints},
        feat_channels=8),
    head=dict(
        type='MultiStageHeatmapHead',
        out_channels={joints},
        decoder=dict(
            type='HourglassHeatmap', input_size=(64, 64),
            heatmap_size=(16, 16))))
"""


@pytest.fixture
def untrained(tmp_path):
    """Write three people of a dataset, their official file, a config and an
    untrained network; return the tool's arguments."""

    def write(dataset, joints):
        rng = np.random.default_rng(0)
        (tmp_path / 'images').mkdir()
        people = []
        for index in range(3):
            cv2.imwrite(
                str(tmp_path / 'images' / f'{index}.png'),
                rng.integers(0, 255, (90, 120, 3), np.uint8))
            people.append(
                dict(image=f'{index}.png', center=[60, 45], scale=0.4,
                     joints=rng.uniform(10, 80, (joints, 2)).tolist(),
                     joints_vis=[1] * joints, head_size=20.0, torso_size=30.0,
                     # The official order is the other way round.
                     official_index=[2 - index, 0]))
        (tmp_path / 'people.json').write_text(json.dumps(people))
        names = ['2.png', '1.png', '0.png']
        known = mpii_person([mpii_point(0, 1, 1)], (60, 45), 0.4)
        write_official_mpii(tmp_path / 'mpii.mat',
                            [(name, True, [known], [1]) for name in names])
        savemat(
            tmp_path / 'flic.mat',
            dict(examples=struct_array([dict(filepath=name, coords=0.)
                                        for name in names])))
        kind = 'PCKh' if dataset == 'MPII' else 'TorsoPCK'
        path = tmp_path / 'tiny.py'
        path.write_text(
            CONFIG.format(
                runtime=str(ROOT / 'configs/_base_/default_runtime.py'),
                dataset=f'Hourglass{dataset}Dataset', root=str(tmp_path),
                metric=f'{kind}Metric', joints=joints))
        init_default_scope('mmpose')
        torch.manual_seed(0)
        model = MODELS.build(Config.fromfile(str(path)).model)
        torch.save(
            dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')
        return ('test', path, tmp_path / 'weights.pth', '--work-dir',
                tmp_path / 'work', '--out-official', tmp_path / 'pred.mat',
                '--dump', tmp_path / 'people.pkl')

    return write


def dumped(path):
    """Predicted joints by image name, 0-based."""
    return {
        sample['img_path'].rsplit('/')[-1]:
        np.asarray(sample['pred_instances']['keypoints'])[0]
        for sample in pickle.loads(path.read_bytes())
    }


def joints_in(path):
    """Joints by image name, as ``pred`` has them."""
    return {
        entry['image'][0, 0]['name'][0]:
        np.array([[point['x'].item(), point['y'].item()] for rect in
                  entry['annorect'].ravel()
                  for point in rect['annopoints'][0, 0]['point'][0]])
        for entry in loadmat(str(path))['pred'][0]
    }


def test_mpii_in_two_processes(untrained, tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    finished = run_tool(
        *untrained('MPII', 16), '--official-annotations',
        tmp_path / 'mpii.mat', '--launcher', 'pytorch',
        launcher=['-m', 'torch.distributed.run', '--nproc-per-node', '2',
                  '--master-port', port])
    assert finished.returncode == 0, finished.stderr
    found = joints_in(tmp_path / 'pred.mat')
    expected = dumped(tmp_path / 'people.pkl')
    assert list(found) == ['2.png', '1.png', '0.png'], 'official order'
    for name, joints in found.items():
        np.testing.assert_allclose(joints, expected[name] + 1, atol=1e-4)


def test_flic(untrained, call_tool, tmp_path):
    call_tool(*untrained('FLIC', 11), '--official-annotations',
              tmp_path / 'flic.mat')
    expected = dumped(tmp_path / 'people.pkl')
    examples = loadmat(str(tmp_path / 'pred.mat'))['examples'][0]
    assert [row['filepath'][0]
            for row in examples] == ['2.png', '1.png', '0.png']
    for row in examples:
        np.testing.assert_allclose(
            row['coords'][:, [0, 16]].T,  # left shoulder, nose
            expected[row['filepath'][0]][[0, 10]] + 1,
            atol=1e-4)


@pytest.mark.parametrize('dataset, joints, more, named', [
    ('MPII', 16, ['--official-annotations', 'none.mat'], 'none.mat'),
    ('MPII', 16, ['--official-annotations', 'flic.mat'], 'RELEASE'),
    ('MPII', 16, [], '--official-annotations'),
    ('LSP', 14, [], "'lsp'"),
])
def test_unusable_arguments_are_refused_before_the_test(
        dataset, joints, more, named, untrained, error_of, tmp_path,
        monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named in error_of(*untrained(dataset, joints), *more)


def test_submission_from_the_official_file(untrained, call_tool, tmp_path):
    """People of the test set have no joints: predictions, but no scores."""
    arguments = untrained('MPII', 16)
    unknown = mpii_person(place=(60, 45), scale=0.4)
    write_official_mpii(tmp_path / 'release.mat', [
        ('0.png', False, [unknown], [1]),
        ('none.png', False, [], []),
        ('1.png', True, [unknown], [1]),
        ('2.png', False, [unknown], [1]),
    ])
    call_tool(*arguments, '--out', tmp_path / 'scores.json',
              '--cfg-options', 'test_dataloader.dataset.ann_file=release.mat',
              'test_dataloader.dataset.subset=test')
    assert json.loads((tmp_path / 'scores.json').read_text()) == {}
    found = joints_in(tmp_path / 'pred.mat')
    assert list(found) == ['0.png', 'none.png', '2.png']
    for name, joints in dumped(tmp_path / 'people.pkl').items():
        np.testing.assert_allclose(found[name], joints + 1, atol=1e-4)
