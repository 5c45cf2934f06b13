"""The three tools that prepare data sets, as a user calls them."""
import json
import os

import cv2
import data_set
import pytest
from download_files import (
    write_flic_downloads,
    write_images,
    write_lsp_downloads,
)

from hourglass_plugin.datasets import (
    HourglassFLICDataset,
    HourglassLSPDataset,
    HourglassMPIIDataset,
)

FEWER = '--allow-other-counts'


@pytest.fixture
def lsp(tmp_path):
    write_lsp_downloads(tmp_path)
    return tmp_path


@pytest.fixture
def flic(tmp_path):
    write_flic_downloads(tmp_path)
    return tmp_path


@pytest.fixture
def mpii(tmp_path):
    for name in ('train', 'valid'):
        person = dict(
            image=f'{name}.jpg',
            center=[30, 20],
            scale=0.1,
            joints=[[20, 20]] * 16,
            joints_vis=[1] * 16,
            head_size=7.5)
        (tmp_path / f'{name}.json').write_text(json.dumps([person]))
    write_images(tmp_path / 'images', ['train.jpg', 'valid.jpg'])
    return tmp_path


@pytest.mark.parametrize('name, kind, files', [
    ('mpii', HourglassMPIIDataset, ['mpii_train.json', 'mpii_val.json']),
    ('flic', HourglassFLICDataset, ['flic_train.json', 'flic_test.json']),
    ('lsp', HourglassLSPDataset, ['lsp_train.json', 'lsp_test.json']),
])
def test_prepared_folders_are_data_sets(call_tool, request, name, kind, files,
                                        capsys):
    source = request.getfixturevalue(name)
    out = source / 'data' / name
    for _ in range(2):
        call_tool(f'prepare_{name}', source, '--out', out, FEWER)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith('wrote 1 people' if name != 'lsp' else 'wrote 3')
    assert second.startswith(f'{out} is complete: ')
    for file in files:
        dataset = kind(
            data_root=str(out),
            ann_file=f'annotations/{file}',
            data_prefix=dict(img='images'))
        for person in dataset:
            assert cv2.imread(person['img_path']).shape == (40, 60, 3)


def test_options_of_prepare_mpii(call_tool, mpii, tmp_path):
    out = tmp_path / 'mpii'
    call_tool('prepare_mpii', '--out', out, FEWER, '--annotations',
              mpii / 'train.json', '--validation', mpii / 'valid.json',
              '--images', mpii / 'images', '--copy', '--no-image-check')
    assert not (out / 'images').is_symlink()
    people = json.loads((out / 'annotations/mpii_val.json').read_text())
    assert people[0]['image'] == 'valid.jpg'
    assert people[0]['head_size'] == 7.5


def test_options_of_prepare_flic(call_tool, flic, tmp_path):
    out = tmp_path / 'flic'
    call_tool('prepare_flic', '--out', out, FEWER, '--annotations',
              flic / 'examples.mat', '--images', flic / 'images', '--labels',
              'person', '--force')
    record = json.loads((out / 'prepared.json').read_text())
    assert record['options']['labels'] == 'person'


def test_options_of_prepare_lsp(call_tool, lsp, tmp_path):
    for names, count in ((['--without-extended'], 1), ([
            '--extended-joints', lsp / 'my lspet/joints.mat',
            '--extended-images', lsp / 'my lspet/images'
    ], 3)):
        out = tmp_path / f'lsp {count}'
        call_tool('prepare_lsp', '--out', out, FEWER, '--joints',
                  lsp / 'my lsp/joints.mat', '--images', lsp / 'my lsp/images',
                  *names)
        people = json.loads((out / 'annotations/lsp_train.json').read_text())
        assert len(people) == count


@pytest.mark.parametrize('name, message', [
    ('mpii', '1 people to train on found, 22246 expected; 1 people to '
     'validate on found, 2958 expected.'),
    ('flic', '1 people to train on found, 3987 expected; 1 people to test on '
     'found, 1016 expected.'),
    ('lsp', '1 people of LSP to train on found, 1000 expected; 1 people of '
     'LSP to test on found, 1000 expected; 2 people of LSP extended found, '
     '10000 expected.'),
])
def test_wrong_counts_are_one_line(error_of, request, name, message):
    source = request.getfixturevalue(name)
    out = source / 'data' / name
    error = error_of(f'prepare_{name}', source, '--out', out)
    assert error.startswith(message) and FEWER in error
    assert not out.exists()


def test_missing_things_are_one_line(error_of, flic, tmp_path, capsys):
    out = tmp_path / 'out'
    assert 'nowhere' in error_of('prepare_flic', tmp_path / 'nowhere', '--out',
                                 out)
    assert 'nowhere' in error_of('prepare_flic', flic, '--out', out, FEWER,
                                 '--images', tmp_path / 'nowhere')
    (flic / 'images/film-1.jpg').unlink()
    error = error_of('prepare_flic', flic, '--out', out, FEWER)
    assert error.startswith('1 of 2 images are missing')
    assert f'missing: {flic}/images/film-1.jpg' in capsys.readouterr().err
    assert not out.exists()


def test_an_interruption_has_its_own_status(call_tool, flic, tmp_path,
                                            monkeypatch, capsys):

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(data_set, 'check_images', interrupted)
    with pytest.raises(SystemExit) as stopped:
        call_tool('prepare_flic', flic, '--out', tmp_path / 'out', FEWER)
    assert stopped.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == 'interrupted'
    assert not [name for name in os.listdir(tmp_path) if 'out' in name]


@pytest.mark.parametrize('name, words', [
    ('mpii', [
        'http://human-pose.mpi-inf.mpg.de', 'mpii_human_pose_v1.tar.gz',
        'mpii_gt_val.mat', 'licence'
    ]),
    ('flic', ['https://bensapp.github.io/flic-dataset.html', 'FLIC.zip']),
    ('lsp', ['https://sam.johnson.io/research/lsp.html', 'lspet_dataset.zip']),
])
def test_help_says_where_to_download(call_tool, name, words, capsys):
    with pytest.raises(SystemExit):
        call_tool(f'prepare_{name}', '--help')
    text = capsys.readouterr().out
    assert [word for word in words if word not in text] == []
