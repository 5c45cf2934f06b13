"""``tools/test.py --out-official``, in one process and in two."""
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from matlab_files import (
    flic_example,
    mpii_person,
    mpii_point,
    struct_array,
    write_official_mpii,
)
from pose_files import entry, write_json, write_noise
from scipy.io import loadmat, savemat
from tool_process import run_tool, two_processes

from hourglass_plugin.resources import config_path

CONFIG = """
_base_ = [{base!r}]
test_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(data_root={root!r}, ann_file='people.json', {more}))
model = dict(backbone=dict(feat_channels=16))
"""


@pytest.fixture
def untrained(tmp_path, save_untrained):
    """Write three people of a dataset, their official file, a config and an
    untrained network; return the tool's arguments."""

    def write(base, joints, more=''):
        skeleton = SimpleNamespace(num_keypoints=joints)
        people = [
            entry(skeleton, index, image=f'{index}.png', center=[60, 45],
                  scale=0.4, head_size=20.0, torso_size=30.0,
                  # The official order is the other way round.
                  official_index=[2 - index, 0]) for index in range(3)]
        write_json(tmp_path / 'people.json', people)
        names = ['2.png', '1.png', '0.png']
        write_noise(tmp_path / 'images', names, (120, 90))
        known = mpii_person([mpii_point(0, 1, 1)], (60, 45), 0.4)
        write_official_mpii(tmp_path / 'mpii.mat',
                            [(name, True, [known], [1]) for name in names])
        savemat(tmp_path / 'flic.mat', dict(examples=struct_array([
            flic_example(name) for name in names])))
        path = tmp_path / 'tiny.py'
        path.write_text(CONFIG.format(
            base=config_path(f'td-hm_{base}.py'), root=str(tmp_path),
            more=more))
        save_untrained(path, tmp_path / 'weights.pth')
        return ('test', path, tmp_path / 'weights.pth', '--work-dir',
                tmp_path / 'work', '--out-official', tmp_path / 'pred.mat',
                '--dump', tmp_path / 'people.pkl')

    return write


MPII = ('hg1-w128_1xb16-4e_synthetic-128x128', 16, 'headbox_file=None')
FLIC = ('hg2_1xb6-220e_flic-256x256', 11)
LSP = ('hg1-w128_1xb16-12e_lspet-128x128', 14)


def dumped(path):
    """Predicted joints by image name, 0-based."""
    return {
        sample['img_path'].rsplit('/')[-1]:
        np.asarray(sample['pred_instances']['keypoints'])[0]
        for sample in pickle.loads(path.read_bytes())}


def joints_in(path):
    """Joints by image name, as ``pred`` has them."""
    return {
        entry['image'][0, 0]['name'][0]:
        np.array([[point['x'].item(), point['y'].item()] for rect in
                  entry['annorect'].ravel()
                  for point in rect['annopoints'][0, 0]['point'][0]])
        for entry in loadmat(str(path))['pred'][0]}


def test_mpii_in_two_processes(untrained, tmp_path):
    run_tool(*untrained(*MPII), '--official-annotations',
             tmp_path / 'mpii.mat', '--launcher', 'pytorch',
             launcher=two_processes())
    found = joints_in(tmp_path / 'pred.mat')
    expected = dumped(tmp_path / 'people.pkl')
    assert list(found) == ['2.png', '1.png', '0.png'], 'official order'
    for name, joints in found.items():
        np.testing.assert_allclose(joints, expected[name] + 1, atol=1e-4)


def test_flic(untrained, call_tool, tmp_path):
    call_tool(*untrained(*FLIC), '--official-annotations',
              tmp_path / 'flic.mat')
    expected = dumped(tmp_path / 'people.pkl')
    examples = loadmat(str(tmp_path / 'pred.mat'))['examples'][0]
    assert [row['filepath'][0]
            for row in examples] == ['2.png', '1.png', '0.png']
    for row in examples:  # left shoulder, nose
        np.testing.assert_allclose(
            row['coords'][:, [0, 16]].T,
            expected[row['filepath'][0]][[0, 10]] + 1, atol=1e-4)


@pytest.mark.parametrize('dataset, more, named', [
    (MPII, ['--official-annotations', 'none.mat'], 'none.mat'),
    (MPII, ['--official-annotations', 'flic.mat'], 'flic.mat'),
    (MPII, [], '--official-annotations'),
    (LSP, [], "'lsp'"),
])
def test_unusable_arguments_are_refused_before_the_test(
        dataset, more, named, untrained, error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named in error_of(*untrained(*dataset), *more)


def test_submission_from_the_official_file(untrained, call_tool, tmp_path):
    """People of the test set have no joints: predictions, but no scores."""
    arguments = untrained(*MPII)
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
