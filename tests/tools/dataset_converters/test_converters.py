"""From small downloads to datasets: complete, or nothing at all."""
import importlib
import json
import os
import shutil
import tarfile
from unittest.mock import Mock

import converter_dataset
import converter_downloads
import numpy as np
import pytest
from downloads import (
    content_of,
    convert,
    examples,
    jpeg,
    mat,
    names_in,
    unpacked,
    write_lsp,
    write_mpii,
    write_tar,
    write_zip,
)
from matlab_files import (
    mpii_person,
    mpii_point,
    write_head_boxes,
    write_official_mpii,
)

from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii


def read(reader, out, subset):
    """People of an annotation file; their images are there."""
    name = reader.__name__.replace('read_', '')
    people = reader(out / f'annotations/{name}_{subset}.json')
    assert {person.image for person in people} <= set(
        content_of(out / 'images'))
    return people


def test_an_archive_becomes_a_dataset(tmp_path, flic, capsys):
    source = tmp_path / 'was ich lud, größer'
    source.mkdir()
    # macOS packs a shadow of every file.
    shadows = {f'__MACOSX/{name}': b'shadow' for name in flic}
    write_zip(source / 'FLIC.zip', {**shadows, **flic})
    out = tmp_path / 'data ü' / 'flic'
    convert('flic', source, out)
    assert names_in(out) == ['annotations', 'images', 'prepared.json']
    assert names_in(out.parent) == ['flic']
    assert content_of(out / 'images') == {
        f'film-{n}.jpg': jpeg(n) for n in (1, 2, 3)}
    official = unpacked(tmp_path / 'flat', flic) / 'FLIC/examples.mat'
    for subset, rows in (('train', [0, 1]), ('test', [2])):
        people = read(read_flic, out, subset)
        assert [person.official_index[0] for person in people] == rows
        for person, same in zip(people, read_flic(official, subset)):
            np.testing.assert_array_equal(person.keypoints, same.keypoints)
            assert person.center.tolist() == same.center.tolist()
            assert person.torso_size == pytest.approx(same.torso_size)
    screen = capsys.readouterr()
    assert '2 people to train on, 1 people to test on, 3 images' in screen.out
    assert '3987' in screen.err  # expected


def test_unpacked_images_are_linked_or_copied(tmp_path, flic):
    source = unpacked(tmp_path / 'downloads', flic)
    (source / 'FLIC/images/notes.txt').write_text('not an image of FLIC')
    for other in ('A', 'Z'):  # those near the annotations are preferred
        shutil.copytree(source / 'FLIC/images', source / other / 'images')
    link = tmp_path / 'flic' / 'images'
    convert('flic', source, tmp_path / 'flic')
    assert link.is_symlink()
    assert link.resolve() == (source / 'FLIC/images').resolve()
    convert('flic', source, tmp_path / 'flic', '--copy')
    assert not link.is_symlink()
    assert sorted(content_of(link)) == [f'film-{n}.jpg' for n in (1, 2, 3)]
    assert (source / 'FLIC/images/notes.txt').exists()


def test_files_can_be_named_one_by_one(tmp_path, flic):
    annotations = tmp_path / 'renamed.mat'
    annotations.write_bytes(flic.pop('FLIC/examples.mat'))
    images = unpacked(tmp_path, flic) / 'FLIC/images'
    named = '--annotations', annotations
    convert('flic', [], tmp_path / 'a', *named, '--images', images)
    archive = write_zip(tmp_path / 'images.zip', flic)
    convert('flic', archive, tmp_path / 'b', *named)
    assert content_of(tmp_path / 'a/images') == content_of(
        tmp_path / 'b/images')
    for option, error in (('--annotations', SystemExit),
                          ('--images', FileNotFoundError)):
        with pytest.raises(error):
            convert('flic', tmp_path, tmp_path / 'c', *named, option,
                    tmp_path / 'nowhere')


def test_lsp_and_its_extension_are_one_dataset(tmp_path, source):
    write_lsp(source)
    out, extension = tmp_path / 'lsp', source / 'lspet_dataset.zip'
    convert('lsp', source, out, '--without-extended')
    assert len(read(read_lsp, out, 'train')) == 2
    assert names_in(out / 'images') == ['lsp']
    later = extension.rename(tmp_path / extension.name)
    convert('lsp', source, out)
    later.rename(extension)  # it is noticed
    convert('lsp', source, out)
    train, test = (read(read_lsp, out, part) for part in ('train', 'test'))
    assert [person.image for person in train] == [
        'lsp/im0001.jpg', 'lsp/im0002.jpg', 'lspet/im00001.jpg',
        'lspet/im00003.jpg']
    assert [person.image for person in test] == [
        'lsp/im0003.jpg', 'lsp/im0004.jpg']
    assert test[1].keypoints[1].tolist() == [12, 12]  # (13, 13), 1-based
    images = content_of(out / 'images')
    assert len(images) == 7
    assert images['lsp/im0002.jpg'] == jpeg(12)  # not the drawn joints
    assert images['lspet/im00001.jpg'] == jpeg(1)
    unpacked(tmp_path, {'joints.mat': mat(joints=np.ones((14, 3, 1)))})
    with pytest.raises(ValueError):
        convert('lsp', source, out, '--joints', tmp_path / 'joints.mat')


def test_json_of_mpii_gets_its_head_sizes(tmp_path, source, capsys):
    people = write_mpii(source)
    write_tar(source / 'mpii_human_pose_v1.tar.gz',
              {f'images/{person["image"]}': jpeg(0) for person in people})
    boxes = (source / 'gt_valid.mat').rename(tmp_path / 'gt.mat')
    out = tmp_path / 'mpii'
    for options in ([], [], ['--head-boxes', boxes]):
        convert('mpii', source, out, *options)
        # The warning stays until they are there.
        assert ('PCKh' in capsys.readouterr().err) == (not options)
    validation = read(read_mpii, out, 'val')
    # Head boxes with diagonals of 5 and 10 pixels.
    assert [person.head_size for person in validation] == pytest.approx([3, 6])
    for person, same in zip(validation, read_mpii(source / 'valid.json')):
        np.testing.assert_allclose(
            person.keypoints, same.keypoints, atol=6e-4)  # JSON rounds
        assert person.center.tolist() == same.center.tolist()
    # As HRNet's and MMPose's code reads it: the annotated, 1-based centre.
    written = json.loads((out / 'annotations/mpii_train.json').read_text())
    assert written[0]['center'] == people[0]['center']


def test_the_official_file_of_mpii(tmp_path, source):
    """In its archive, with the people of c.jpg to validate on."""
    people = [
        [mpii_person([mpii_point(n, *places[n]) for n in range(16)])]
        for places in np.random.default_rng(0).integers(1, 300, (4, 16, 2))]
    release = write_official_mpii(
        tmp_path / 'mpii_human_pose_v1_u12_1.mat',
        [(f'{name}.jpg', name != 'd', person, [1])
         for name, person in zip('abcd', people)])
    write_zip(source / 'mpii_human_pose_v1_u12_2.zip',
              {f'u12_2/{release.name}': release.read_bytes()})
    write_tar(source / 'mpii_human_pose_v1.tar.gz',
              {f'images/{name}.jpg': jpeg(0) for name in 'abcd'})
    out = tmp_path / 'mpii'
    with pytest.raises(FileNotFoundError):  # of the people to validate on
        convert('mpii', source, out)
    last = read_mpii(release)[-1]
    write_head_boxes(
        source / 'mpii_gt_val.mat',
        [dict(joints=last.keypoints + 1, joints_vis=last.annotated)],
        [[[1, 1], [4, 5]]])
    convert('mpii', source, out)
    written = {part: read(read_mpii, out, part)
               for part in ('train', 'val', 'test')}
    assert {part: [person.image for person in found]
            for part, found in written.items()} == dict(
                train=['a.jpg', 'b.jpg'], val=['c.jpg'], test=['d.jpg'])
    # The file's own head boxes, 30 x 40 pixels, are kept.
    assert written['val'][0].head_size == pytest.approx(30)
    assert written['test'][0].official_index == (3, 0)
    convert('mpii', source, out, '--without-test')
    assert not (out / 'annotations/mpii_test.json').exists()


def test_a_second_run_only_verifies(tmp_path, archive, converted, capsys,
                                    monkeypatch):
    out, before = converted
    capsys.readouterr()
    monkeypatch.setattr(converter_dataset, 'check_images', None)
    for source in (archive, [], tmp_path):
        if source == tmp_path:
            archive.unlink()
        convert('flic', source, out)
        screen = capsys.readouterr()
        assert f'{out} is complete: 2 people to train on' in screen.out
        assert '3987' in screen.err  # still a warning
    assert content_of(out) == before


@pytest.mark.parametrize('file, content', [
    ('images/film-2.jpg', None), ('images/film-3.jpg', b''),
    ('annotations/flic_test.json', None),
    ('annotations/flic_train.json', b'[]')])
def test_damage_is_repaired(tmp_path, archive, converted, file, content):
    out, before = converted
    (out / file).unlink()
    if content is not None:
        (out / file).write_bytes(content)
    convert('flic', archive, out)
    assert content_of(out) == before
    # Damage inside of an image is seen in the downloads' images only.
    (out / 'images/film-1.jpg').write_bytes(b'damaged')
    convert('flic', archive, out, '--force')
    assert content_of(out) == before
    assert names_in(tmp_path) == ['FLIC.zip', 'flic']


def test_other_options_and_downloads_convert_anew(tmp_path, flic, capsys):
    source = unpacked(tmp_path / 'downloads', flic)
    for options in (['--no-image-check'], []):
        convert('flic', source, tmp_path / 'flic', *options)
        assert 'is complete' not in capsys.readouterr().out
    (source / 'FLIC/examples.mat').write_bytes(examples(1, 3))
    convert('flic', source, tmp_path / 'flic')
    assert len(read(read_flic, tmp_path / 'flic', 'train')) == 1


@pytest.mark.parametrize('where, name, error', [
    (converter_downloads, 'unpack', OSError),
    (converter_dataset, 'check_images', KeyboardInterrupt),
    (converter_dataset, 'bring', OSError),
    (converter_dataset, '_put_in_place', KeyboardInterrupt)])
def test_an_interrupted_run_leaves_nothing(tmp_path, archive, monkeypatch,
                                           where, name, error):
    out = tmp_path / 'data' / 'flic'
    # Of a killed run.
    unpacked(tmp_path / 'data/flic.unfinished/unpacked',
             {'examples.mat': b'half of it'})
    with monkeypatch.context() as patch:
        patch.setattr(where, name, Mock(side_effect=error))
        with pytest.raises(error):
            convert('flic', archive, out)
    assert names_in(out.parent) == []
    convert('flic', archive, out)
    assert names_in(out) == ['annotations', 'images', 'prepared.json']


@pytest.mark.parametrize('step', range(4))
def test_an_interrupted_replacement_is_repaired(tmp_path, archive, converted,
                                                monkeypatch, step):
    """Two annotation files, the folder of images and the record move."""
    out, expected = converted
    moves = []

    def moving(move):

        def interrupted(source, target):
            if str(target).startswith(str(out) + os.sep):
                moves.append(target)
                if len(moves) == step + 1:
                    raise KeyboardInterrupt
            return move(source, target)

        return interrupted

    with monkeypatch.context() as patch:
        for name in ('rename', 'replace'):
            patch.setattr(os, name, moving(getattr(os, name)))
        with pytest.raises(KeyboardInterrupt):
            convert('flic', archive, out, '--force')
    assert len(content_of(out / 'images')) == 3
    convert('flic', archive, out)
    assert content_of(out) == expected
    assert names_in(tmp_path) == ['FLIC.zip', 'flic']


def test_every_bad_image_is_listed(tmp_path, flic, capsys):
    flic['FLIC/examples.mat'] = examples(*range(1, 31))
    flic['FLIC/images/film-28.jpg'] = b''
    flic['FLIC/images/film-29.jpg'] = jpeg(29)[:-200]
    flic['FLIC/images/film-30.jpg'] = b'<html>not found</html>'
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    problems = tmp_path / 'flic.problems.txt'
    with pytest.raises(ValueError):
        convert('flic', archive, tmp_path / 'flic')
    lines = problems.read_text().splitlines()
    inside = 'FLIC.zip/FLIC/images/film-'
    assert [line.partition(' (')[0] for line in lines] == [
        *(f'missing: {inside}{n}.jpg' for n in range(4, 28)),
        f'empty: {inside}28.jpg', f'unreadable: {inside}29.jpg',
        f'unreadable: {inside}30.jpg']
    shown = capsys.readouterr().err.splitlines()
    assert [line for line in shown if 'film-' in line] == lines[:20]
    assert names_in(tmp_path) == ['FLIC.zip', problems.name]
    # Images must exist also where they are not decoded.
    with pytest.raises(ValueError):
        convert('flic', archive, tmp_path / 'flic', '--no-image-check')
    # Whole images next time; the list is gone.
    flic.update({f'FLIC/images/film-{n}.jpg': jpeg(n) for n in range(1, 31)})
    convert('flic', write_zip(archive, flic), tmp_path / 'flic')
    assert names_in(tmp_path) == ['FLIC.zip', 'flic']


def tar_with_link(path, _):
    with tarfile.open(path, 'w:gz') as archive:
        link = tarfile.TarInfo('images/x.jpg')
        link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
        archive.addfile(link)


@pytest.mark.parametrize('write, name, inside', [
    (write_zip, 'a.zip', '../evil.jpg'),
    (write_zip, 'a.zip', 'x/../../evil.jpg'),
    (write_zip, 'a.zip', '/tmp/evil.jpg'),
    (write_tar, 'a.tgz', '../evil.jpg'), (write_tar, 'a.tar', '/tmp/evil.jpg'),
    (tar_with_link, 'a.tar.gz', None)])
@pytest.mark.parametrize('has_filter', [True, False])
def test_archives_write_nothing_outside(tmp_path, write, name, inside,
                                        has_filter, monkeypatch):
    if not has_filter:
        monkeypatch.delattr(tarfile, 'data_filter', raising=False)
    source = tmp_path / 'x' / 'downloads'
    source.mkdir(parents=True)
    write(source / name, {inside: b'x'})
    with pytest.raises((ValueError, FileNotFoundError)):
        convert('flic', source / name, tmp_path / 'x' / 'data' / 'flic')
    assert list(content_of(tmp_path)) == [f'x/downloads/{name}']
    assert not os.path.exists('/tmp/evil.jpg')


@pytest.mark.parametrize('write, name', [(write_zip, 'FLIC.zip'),
                                         (write_tar, 'flic.tar.gz')])
@pytest.mark.parametrize('kept', [0, 0.5, 0.99])
def test_truncated_archives_are_rejected(tmp_path, flic, write, name, kept):
    content = write(tmp_path / name, flic).read_bytes()
    (tmp_path / name).write_bytes(content[:int(kept * len(content))])
    with pytest.raises(ValueError):
        convert('flic', tmp_path / name, tmp_path / 'flic')
    assert names_in(tmp_path) == [name]


def test_missing_and_ambiguous_downloads(tmp_path, source, flic):
    for name in ('flic', 'lsp', 'mpii'):
        with pytest.raises(FileNotFoundError):
            convert(name, source, tmp_path / 'out')
    (source / 'examples.mat').write_bytes(flic['FLIC/examples.mat'])
    with pytest.raises(FileNotFoundError):  # of the images
        convert('flic', source, tmp_path / 'out')
    unpacked(source, flic)
    convert('flic', source, tmp_path / 'out')  # the two are the same
    (source / 'examples.mat').write_bytes(examples(1))
    with pytest.raises(ValueError):
        convert('flic', source, tmp_path / 'out')


@pytest.mark.parametrize('theirs', [
    'flic/annotations/flic_train.json', 'flic/images/film-1.jpg', 'flic'])
def test_other_files_are_not_replaced(tmp_path, archive, theirs):
    unpacked(tmp_path, {theirs: b'theirs'})
    before = content_of(tmp_path)
    with pytest.raises(FileExistsError):
        convert('flic', archive, tmp_path / 'flic')
    assert content_of(tmp_path) == before


def test_downloads_unpacked_in_the_datasets_own_folder(tmp_path, flic):
    out = unpacked(tmp_path / 'flic', {
        name.replace('FLIC/', ''): data for name, data in flic.items()})
    for options in ([], ['--force']):
        convert('flic', out, out, *options)
        assert names_in(out) == [
            'annotations', 'examples.mat', 'images', 'prepared.json']
        assert not (out / 'images').is_symlink()
        assert len(content_of(out / 'images')) == 3


@pytest.mark.parametrize('name, counts', [
    ('mpii', ('22246', '2958')), ('flic', ('3987', '1016')),
    ('lsp', ('1000', '10000'))])
def test_scripts_end_with_one_line_and_a_status(name, counts, tmp_path, flic,
                                                source, monkeypatch):
    """Wrong counts: 1; interrupted: 130."""
    script = importlib.import_module(f'prepare_{name}')
    unpacked(source, flic)
    write_lsp(source)
    write_mpii(source)
    args = script.parse_args([str(source), '--out', str(tmp_path / 'out')])
    with pytest.raises(SystemExit) as ended:
        converter_dataset.run(script.main, args)
    assert isinstance(ended.value.code, str) and '\n' not in ended.value.code
    assert all(count in ended.value.code for count in counts)
    assert not (tmp_path / 'out').exists()
    monkeypatch.setattr(script, 'convert_dataset',
                        Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(SystemExit) as ended:
        converter_dataset.run(script.main, args)
    assert ended.value.code == 130
