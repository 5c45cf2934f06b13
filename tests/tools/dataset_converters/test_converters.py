"""From small downloads to data sets: complete, or nothing at all."""
import io
import json
import os
import shutil
import tarfile
import zipfile

import cv2
import data_set
import downloads
import numpy as np
import pytest
from contents import Task
from flic import prepare_flic
from lsp import prepare_lsp
from mpii import prepare_mpii
from matlab_files import write_head_boxes, write_official_mpii
from scipy.io import savemat
from test_flic_files import coords, example
from test_flic_files import write as write_examples
from test_lsp_files import lsp_array, lspet_array
from test_mpii_files import official_images
from test_pose_json import entry

from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.skeletons import MPII

TEST = dict(istrain=np.array([[0]]), istest=np.array([[1]]))


def jpeg(seed, size=64):
    picture = np.random.RandomState(seed).randint(0, 255, (size, size, 3))
    return cv2.imencode('.jpg', picture.astype(np.uint8))[1].tobytes()


def write_zip(path, files):
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, files):
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in files.items():
            entry_of_tar = tarfile.TarInfo(name)
            entry_of_tar.size = len(content)
            archive.addfile(entry_of_tar, io.BytesIO(content))
    return path


def content_of(folder):
    """Every file below a folder with its bytes; links are followed."""
    return {
        os.path.relpath(os.path.join(top, name), folder):
        open(os.path.join(top, name), 'rb').read()
        for top, _, names in os.walk(folder, followlinks=True)
        for name in names
    }


@pytest.fixture
def flic(tmp_path):
    """FLIC.zip's content as files by name: two train, one tests."""
    mat = write_examples(tmp_path, example(1),
                         example(2, coords=coords(turned=True)),
                         example(3, **TEST))
    files = {'FLIC/examples.mat': mat.read_bytes()}
    mat.unlink()
    for number in (1, 2, 3):
        files[f'FLIC/images/film-{number:08d}.jpg'] = jpeg(number)
    return files


def unpacked(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def prepare(prepare_it, source, out, *arguments, **options):
    """With fewer people than the real data sets have."""
    settings = dict(allow_other_counts=True)
    settings.update({
        key: options.pop(key)
        for key in list(options) if key in Task._fields
    })
    sources = [source] if isinstance(source, (str, os.PathLike)) else source
    prepare_it(
        Task([str(one) for one in sources], str(out), **settings), *arguments,
        **options)


def nothing_but(folder, *names):
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


# What is written.


def test_an_archive_becomes_a_data_set(tmp_path, flic, capsys):
    source = tmp_path / 'was ich lud, größer'
    source.mkdir()
    write_zip(source / 'FLIC.zip', flic)
    out = tmp_path / 'data ü' / 'flic'
    prepare(prepare_flic, source, out)
    assert nothing_but(out, 'annotations', 'images', 'prepared.json')
    assert nothing_but(out.parent, 'flic')
    assert content_of(out / 'images') == {
        f'film-{n:08d}.jpg': jpeg(n)
        for n in (1, 2, 3)
    }
    mat = unpacked(tmp_path / 'flat', flic) / 'FLIC/examples.mat'
    for subset, rows in (('train', [0, 1]), ('test', [2])):
        people = read_flic(out / 'annotations' / f'flic_{subset}.json')
        assert [person.official_index[0] for person in people] == rows
        for person, same in zip(people, read_flic(mat, subset)):
            # JSON has thousandths of pixels; these are whole ones.
            np.testing.assert_array_equal(person.keypoints, same.keypoints)
            assert person.center.tolist() == same.center.tolist()
            assert person.torso_size == pytest.approx(same.torso_size)
    screen = capsys.readouterr()
    assert '2 people to train on, 1 people to test on, 3 images' in screen.out
    assert 'unpacking FLIC.zip' in screen.err
    assert 'checking images' in screen.err
    assert '2 people to train on found, 3987 expected' in screen.err


def test_unpacked_images_are_linked_or_copied(tmp_path, flic):
    source = unpacked(tmp_path / 'downloads', flic)
    (source / 'FLIC/images/notes.txt').write_text('not an image of FLIC')
    prepare(prepare_flic, source, tmp_path / 'linked')
    link = tmp_path / 'linked' / 'images'
    assert link.is_symlink()
    assert link.resolve() == (source / 'FLIC/images').resolve()
    prepare(prepare_flic, source, tmp_path / 'linked', copy=True)
    assert not link.is_symlink()
    assert sorted(content_of(link)) == [f'film-{n:08d}.jpg' for n in (1, 2, 3)]
    assert (source / 'FLIC/images/notes.txt').exists()


def test_person_centric_labels(tmp_path, flic):
    source = unpacked(tmp_path / 'downloads', flic)
    prepare(prepare_flic, source, tmp_path / 'flic', labels='person')
    path = tmp_path / 'flic/annotations/flic_train.json'
    mat = source / 'FLIC/examples.mat'
    for labels in ('person', 'observer'):
        for person, same in zip(
                read_flic(path, labels=labels),
                read_flic(mat, 'train', labels=labels)):
            np.testing.assert_array_equal(person.keypoints, same.keypoints)


def test_files_and_archives_can_be_named_one_by_one(tmp_path, flic):
    mat = flic.pop('FLIC/examples.mat')
    archive = write_zip(tmp_path / 'pictures.zip', flic)
    annotations = tmp_path / 'renamed.mat'
    annotations.write_bytes(mat)
    out = tmp_path / 'flic'
    prepare(prepare_flic, archive, out, annotations=str(annotations))
    assert len(content_of(out / 'images')) == 3


def test_shadows_of_macos_are_no_images(tmp_path, flic):
    for name in list(flic):
        folder, _, file = name.rpartition('/')
        flic[f'__MACOSX/{folder}/._{file}'] = b'shadow'
        flic[f'__MACOSX/{folder}/{file}'] = b'shadow'
    prepare(prepare_flic, write_zip(tmp_path / 'FLIC.zip', flic),
            tmp_path / 'flic')
    assert content_of(tmp_path / 'flic/images')['film-00000001.jpg'] == jpeg(1)


@pytest.fixture
def lsp(tmp_path):
    """Both archives; four people of LSP, two of LSP extended and a ghost."""
    source = tmp_path / 'downloads'
    source.mkdir()
    extended = lspet_array(3)
    extended[:, 2, 1] = 0
    files = {'joints.mat': extended}, {'joints.mat': lsp_array(4)}
    for content in files:
        buffer = io.BytesIO()
        savemat(buffer, dict(joints=content['joints.mat']))
        content['joints.mat'] = buffer.getvalue()
    files[0].update({f'images/im{n:05d}.jpg': jpeg(n) for n in (1, 2, 3)})
    for number in (1, 2, 3, 4):
        name = f'im{number:04d}.jpg'
        files[1].update({
            f'drawn/{name}': jpeg(0),
            f'images/{name}': jpeg(10 + number),
            f'visualized/{name}': jpeg(0),
        })
    write_zip(source / 'lspet_dataset.zip', files[0])
    write_zip(source / 'lsp_dataset.zip', {
        f'lsp_dataset/{name}': data
        for name, data in files[1].items()
    })
    return source


def test_lsp_and_its_extension_are_one_data_set(tmp_path, lsp, capsys):
    out = tmp_path / 'lsp'
    prepare(prepare_lsp, lsp, out)
    train = read_lsp(out / 'annotations/lsp_train.json')
    assert [person.image for person in train] == [
        'lsp/im0001.jpg', 'lsp/im0002.jpg', 'lspet/im00001.jpg',
        'lspet/im00003.jpg'
    ]
    test = read_lsp(out / 'annotations/lsp_test.json')
    assert [person.image
            for person in test] == ['lsp/im0003.jpg', 'lsp/im0004.jpg']
    # Joint 1 of the fourth person is at (21, 29) in the 1-based file.
    assert test[1].keypoints[1].tolist() == [20, 28]
    images = content_of(out / 'images')
    assert len(images) == 7
    assert images['lsp/im0002.jpg'] == jpeg(12)  # not the drawn joints
    assert images['lspet/im00001.jpg'] == jpeg(1)
    warnings = capsys.readouterr().err
    assert '3 people of LSP extended found, 10000 expected' in warnings
    assert 'no annotated joint: 1 of LSP extended' in warnings


def test_images_near_the_annotations_are_meant(tmp_path, flic):
    source = unpacked(tmp_path / 'downloads', flic)
    for other in ('A', 'Z'):
        shutil.copytree(source / 'FLIC/images', source / other / 'images')
    prepare(prepare_flic, source, tmp_path / 'flic')
    images = (tmp_path / 'flic/images').resolve()
    assert images == (source / 'FLIC/images').resolve()


def test_lsp_without_its_extension(tmp_path, lsp, capsys):
    out = tmp_path / 'lsp'
    prepare(prepare_lsp, lsp, out, extended=False)
    assert len(read_lsp(out / 'annotations/lsp_train.json')) == 2
    assert nothing_but(out / 'images', 'lsp')
    extension = lsp / 'lspet_dataset.zip'
    later = extension.rename(tmp_path / extension.name)
    prepare(prepare_lsp, lsp, out)
    assert 'it has 10000 more people' in capsys.readouterr().err
    # It is noticed once it is there.
    later.rename(extension)
    prepare(prepare_lsp, lsp, out)
    assert 'lspet_dataset.zip is new' in capsys.readouterr().out
    assert len(read_lsp(out / 'annotations/lsp_train.json')) == 4
    assert nothing_but(out / 'images', 'lsp', 'lspet')


@pytest.fixture
def mpii(tmp_path):
    """A folder with MPII's images in an archive, and 16 entries of JSON."""
    source = tmp_path / 'downloads'
    source.mkdir()
    people = [entry(MPII, seed) for seed in range(5)]
    write_tar(source / 'mpii_human_pose_v1.tar.gz',
              {f'images/{person["image"]}': jpeg(0)
               for person in people})
    return source, people


def write_json_pair(source, people):
    (source / 'train.json').write_text(json.dumps(people[:3]))
    (source / 'valid.json').write_text(json.dumps(people[3:]))
    write_head_boxes(source / 'gt_valid.mat', people[3:],
                     [[[10, 10], [13, 14]], [[10, 10], [16, 18]]])


def test_json_of_mpii_gets_its_head_sizes(tmp_path, mpii):
    source, people = mpii
    write_json_pair(source, people)
    out = tmp_path / 'mpii'
    prepare(prepare_mpii, source, out)
    validation = read_mpii(out / 'annotations/mpii_val.json')
    # Head boxes with diagonals of 5 and 10 pixels.
    assert [person.head_size for person in validation] == pytest.approx([3, 6])
    for person, same in zip(validation, read_mpii(source / 'valid.json')):
        np.testing.assert_allclose(
            person.keypoints, same.keypoints, atol=6e-4)  # JSON rounds
        assert person.center.tolist() == same.center.tolist()
    # As HRNet's and MMPose's code reads it: the annotated, 1-based centre.
    written = json.loads((out / 'annotations/mpii_train.json').read_text())
    assert written[0]['center'] == people[0]['center']
    assert len(content_of(out / 'images')) == 5


def test_missing_head_sizes_are_told_until_they_are_there(
        tmp_path, mpii, capsys):
    source, people = mpii
    write_json_pair(source, people)
    gt = (source / 'gt_valid.mat').rename(tmp_path / 'gt.mat')
    out = tmp_path / 'mpii'
    prepare(prepare_mpii, source, out)
    prepare(prepare_mpii, source, out)
    warnings = capsys.readouterr().err
    assert warnings.count('no file tells the head sizes of 2 validation') == 2
    shutil.copy(gt, source / 'mpii_gt_val.mat')
    prepare(prepare_mpii, source, out)
    assert 'head sizes' not in capsys.readouterr().err
    validation = read_mpii(out / 'annotations/mpii_val.json')
    assert validation[1].head_size == pytest.approx(6)


def test_json_of_convolutional_pose_machines(tmp_path, mpii):
    source, people = mpii
    (source / 'mpii_annotations.json').write_text(
        json.dumps([
            dict(
                img_paths=person['image'],
                objpos=person['center'],
                scale_provided=person['scale'],
                joint_self=[[*xy, 1] for xy in person['joints']],
                isValidation=float(index == 1),
                annolist_index=index + 1,
                people_index=1) for index, person in enumerate(people)
        ]))
    out = tmp_path / 'mpii'
    prepare(prepare_mpii, source, out)
    rows = {
        subset: [
            person.official_index[0]
            for person in read_mpii(out / 'annotations' /
                                    f'mpii_{subset}.json')
        ]
        for subset in ('train', 'val')
    }
    assert rows == dict(train=[0, 2, 3, 4], val=[1])


def test_the_official_file_of_mpii(tmp_path):
    """In its archive, with the people of h.jpg to validate on."""
    release = write_official_mpii(tmp_path / 'mpii_human_pose_v1_u12_1.mat',
                                  official_images())
    source = tmp_path / 'downloads'
    source.mkdir()
    write_zip(
        source / 'mpii_human_pose_v1_u12_2.zip', {
            f'mpii_human_pose_v1_u12_2/{release.name}': release.read_bytes(),
            'mpii_human_pose_v1_u12_2/README.md': b''
        })
    names = ['a.jpg', 'b.jpg', 'e.jpg', 'h.jpg']
    write_tar(source / 'mpii_human_pose_v1.tar.gz',
              {f'images/{name}': jpeg(0)
               for name in names})
    with pytest.raises(FileNotFoundError, match='does not tell who belongs'):
        prepare(prepare_mpii, source, tmp_path / 'mpii')
    everybody = read_mpii(release)
    last = [person for person in everybody if person.image == 'h.jpg']
    write_head_boxes(source / 'mpii_gt_val.mat', [
        dict(joints=person.keypoints + 1, joints_vis=person.annotated)
        for person in last
    ], [[[1, 1], [4, 5]]] * 2)
    prepare(prepare_mpii, source, tmp_path / 'mpii')
    written = {
        subset:
        read_mpii(tmp_path / 'mpii' / 'annotations' / f'mpii_{subset}.json')
        for subset in ('train', 'val', 'test')
    }
    images = {
        subset: [person.image for person in people]
        for subset, people in written.items()
    }
    assert images == dict(
        train=['a.jpg', 'b.jpg', 'b.jpg', 'b.jpg'],
        val=['h.jpg', 'h.jpg'],
        test=['e.jpg'])
    # The file's own head boxes, 30 x 40 pixels, are kept.
    assert [person.head_size
            for person in written['val']] == pytest.approx([30, 30])
    assert written['test'][0].official_index == (4, 1)
    prepare(prepare_mpii, source, tmp_path / 'mpii', test=False)
    assert not (tmp_path / 'mpii/annotations/mpii_test.json').exists()


# A second run, an interrupted run.


def test_a_second_run_only_verifies(tmp_path, flic, capsys, monkeypatch):
    source = tmp_path / 'downloads'
    source.mkdir()
    write_zip(source / 'FLIC.zip', flic)
    out = tmp_path / 'flic'
    prepare(prepare_flic, source, out)
    before = content_of(out)
    monkeypatch.setattr(downloads, 'unpack', None)  # would be an error
    monkeypatch.setattr(data_set, 'check_images', None)
    for sources in ([source], []):
        prepare(prepare_flic, sources, out)
        screen = capsys.readouterr()
        assert f'{out} is complete: 2 people to train on' in screen.out
    assert '3987 expected' in screen.err  # still to be known
    (source / 'FLIC.zip').unlink()
    prepare(prepare_flic, source, out)
    assert 'is complete' in capsys.readouterr().out
    assert content_of(out) == before


@pytest.mark.parametrize('change, reason', [
    (lambda out: (out / 'images/film-00000002.jpg').unlink(),
     'film-00000002.jpg is missing or empty'),
    (lambda out: (out / 'images/film-00000003.jpg').write_bytes(b''),
     'film-00000003.jpg is missing or empty'),
    (lambda out: (out / 'annotations/flic_test.json').unlink(),
     'flic_test.json is missing or has changed'),
    (lambda out: (out / 'annotations/flic_train.json').write_text('[]'),
     'flic_train.json is missing or has changed'),
])
def test_damage_is_repaired(tmp_path, flic, capsys, change, reason):
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    out = tmp_path / 'flic'
    prepare(prepare_flic, archive, out)
    before = content_of(out)
    change(out)
    prepare(prepare_flic, archive, out)
    assert reason in capsys.readouterr().out
    assert content_of(out) == before
    assert nothing_but(tmp_path, 'FLIC.zip', 'flic')


def test_what_a_second_run_was_not_told_before(tmp_path, flic, capsys):
    source = unpacked(tmp_path / 'downloads', flic)
    out = tmp_path / 'flic'
    prepare(prepare_flic, source, out, image_check=False)
    prepare(prepare_flic, source, out)
    assert 'have not been decoded yet' in capsys.readouterr().out
    prepare(prepare_flic, source, out, labels='person')
    assert 'other options were given' in capsys.readouterr().out
    write_examples(source / 'FLIC', example(1), example(3, **TEST))
    prepare(prepare_flic, source, out, labels='person')
    assert 'examples.mat is new or has changed' in capsys.readouterr().out
    assert len(read_flic(out / 'annotations/flic_train.json')) == 1
    with pytest.raises(ValueError, match='1 people to train on found, 3987'):
        prepare(
            prepare_flic,
            source,
            out,
            labels='person',
            allow_other_counts=False)


def test_force_takes_images_from_the_downloads_again(tmp_path, flic):
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    out = tmp_path / 'flic'
    prepare(prepare_flic, archive, out)
    before = content_of(out)
    (out / 'images/film-00000001.jpg').write_bytes(b'damaged')
    prepare(prepare_flic, archive, out, force=True)
    assert content_of(out) == before


@pytest.mark.parametrize('where, name', [
    (downloads, 'unpack'),
    (data_set, 'check_images'),
    (data_set, 'bring'),
    (data_set, '_put_in_place'),
])
@pytest.mark.parametrize('error', [KeyboardInterrupt, OSError])
def test_an_interrupted_run_leaves_nothing(tmp_path, flic, monkeypatch, where,
                                           name, error):
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    out = tmp_path / 'data' / 'flic'

    def interrupted(*arguments):
        raise error('in the middle')

    with monkeypatch.context() as patch:
        patch.setattr(where, name, interrupted)
        with pytest.raises(error, match='in the middle'):
            prepare(prepare_flic, archive, out)
    assert nothing_but(out.parent)
    prepare(prepare_flic, archive, out)
    assert nothing_but(out, 'annotations', 'images', 'prepared.json')


@pytest.mark.parametrize('step', range(4))
def test_a_replacement_that_is_interrupted_is_made_up_for(
        tmp_path, flic, monkeypatch, step):
    """Two annotation files, the folder of images and the record move."""
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    out = tmp_path / 'flic'
    prepare(prepare_flic, archive, out, labels='person')
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
        patch.setattr(os, 'rename', moving(os.rename))
        patch.setattr(os, 'replace', moving(os.replace))
        with pytest.raises(KeyboardInterrupt):
            prepare(prepare_flic, archive, out, force=True)
    assert len(content_of(out / 'images')) == 3
    prepare(prepare_flic, archive, out)
    prepare(prepare_flic, archive, tmp_path / 'at once')
    assert {
        name: data
        for name, data in content_of(out).items() if name != 'prepared.json'
    } == {
        name: data
        for name, data in content_of(tmp_path / 'at once').items()
        if name != 'prepared.json'
    }
    assert nothing_but(tmp_path, 'FLIC.zip', 'flic', 'at once')


def test_what_a_killed_run_left_is_removed(tmp_path, flic):
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    left = tmp_path / 'flic.unfinished' / 'unpacked'
    left.mkdir(parents=True)
    (left / 'examples.mat').write_text('half of it')
    prepare(prepare_flic, [archive, tmp_path], tmp_path / 'flic')
    assert nothing_but(tmp_path, 'FLIC.zip', 'flic')


# What is refused.


def test_every_bad_image_is_named(tmp_path, flic, capsys):
    mat = write_examples(tmp_path, *(example(n) for n in range(30)),
                         example(30, **TEST))
    flic['FLIC/examples.mat'] = mat.read_bytes()
    mat.unlink()
    for number in range(4, 31):
        flic[f'FLIC/images/film-{number:08d}.jpg'] = jpeg(number)
    for number in range(4, 28):
        del flic[f'FLIC/images/film-{number:08d}.jpg']
    flic['FLIC/images/film-00000028.jpg'] = b''
    flic['FLIC/images/film-00000029.jpg'] = jpeg(29)[:-200]
    flic['FLIC/images/film-00000030.jpg'] = b'<html>not found</html>'
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    out = tmp_path / 'flic'
    with pytest.raises(
            ValueError, match='25 of 31 images are missing and 3 empty'):
        prepare(prepare_flic, archive, out)
    lines = (tmp_path / 'flic.problems.txt').read_text().splitlines()
    inside = 'FLIC.zip/FLIC/images/film-000000'
    assert lines[:2] == [
        f'missing: {inside}00.jpg', f'missing: {inside}04.jpg'
    ]
    assert len(lines) == 28
    assert lines[25] == f'empty: {inside}28.jpg'
    assert lines[26].startswith(f'unreadable: {inside}29.jpg (OSError: ')
    assert lines[27].startswith(f'unreadable: {inside}30.jpg (')
    shown = capsys.readouterr().err.splitlines()
    assert [line for line in shown if 'film-' in line] == lines[:20]
    assert nothing_but(tmp_path, 'FLIC.zip', 'flic.problems.txt')
    # Whole images next time; the list is gone.
    for number in range(31):
        flic[f'FLIC/images/film-{number:08d}.jpg'] = jpeg(number)
    prepare(prepare_flic, write_zip(archive, flic), out)
    assert nothing_but(tmp_path, 'FLIC.zip', 'flic')


def test_without_decoding_images_must_still_be_there(tmp_path, flic):
    source = unpacked(tmp_path / 'downloads', flic)
    (source / 'FLIC/images/film-00000002.jpg').write_bytes(b'damaged')
    with pytest.raises(ValueError, match='0 of 3 images are missing and 1 em'):
        prepare(prepare_flic, source, tmp_path / 'flic')
    prepare(prepare_flic, source, tmp_path / 'flic', image_check=False)
    (source / 'FLIC/images/film-00000002.jpg').unlink()
    with pytest.raises(ValueError, match='1 of 3 images are missing'):
        prepare(prepare_flic, source, tmp_path / 'flic', image_check=False)


def test_other_numbers_of_people(tmp_path, flic):
    with pytest.raises(
            ValueError,
            match='^2 people to train on found, 3987 expected; 1 people to '
            'test on found, 1016 expected.*--allow-other-counts'):
        prepare(
            prepare_flic,
            write_zip(tmp_path / 'FLIC.zip', flic),
            tmp_path / 'flic',
            allow_other_counts=False)
    assert nothing_but(tmp_path, 'FLIC.zip')


def tar_with_link(path, name='images/x.jpg', target='/etc/passwd'):
    with tarfile.open(path, 'w:gz') as archive:
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, target
        archive.addfile(link)


def zip_with_link(path):
    link = zipfile.ZipInfo('FLIC/images')
    link.external_attr = 0o120777 << 16
    write_zip(path, {link: '/etc'})


def zip_with_nameless_entry(path):
    """As a damaged one may have it."""
    data = bytearray(write_zip(path, {'x': b'content'}).read_bytes())
    # In both headers: the name's one byte becomes one of extra data.
    for lengths in (26, data.index(b'PK\1\2') + 28):
        data[lengths:lengths + 4] = 0, 0, 1, 0
    path.write_bytes(data)


@pytest.mark.parametrize('name, write, message', [
    ('a.zip', lambda path: write_zip(path, {'../evil.jpg': b'x'}),
     "'../evil.jpg', which would be written outside"),
    ('a.zip', lambda path: write_zip(path, {'x/../../evil.jpg': b'x'}),
     'outside the folder'),
    ('a.tgz', lambda path: write_tar(path, {'../evil.jpg': b'x'}),
     'outside the folder'),
    ('a.tar.gz', lambda path: write_tar(path, {'/tmp/evil.jpg': b'x'}),
     'outside the folder'),
    ('a.tar', lambda path: write_tar(path, {'x\\..\\..\\evil.jpg': b'x'}),
     'outside the folder'),
    ('a.tar', lambda path: write_tar(path, {'C:/evil.jpg': b'x'}),
     'outside the folder'),
    ('a.tar.gz', tar_with_link, 'neither a file nor a folder'),
    ('a.zip', zip_with_link, 'neither a file nor a folder'),
    ('a.zip', zip_with_nameless_entry, "holds '', which would be written"),
])
def test_archives_that_reach_outside_are_not_unpacked(tmp_path, flic, name,
                                                      write, message):
    source = tmp_path / 'x' / 'downloads'
    source.mkdir(parents=True)
    write(source / name)
    with pytest.raises(ValueError, match=message) as error:
        prepare(prepare_flic, source / name, tmp_path / 'x' / 'data' / 'flic')
    assert str(source / name) in str(error.value)
    assert list(content_of(tmp_path)) == [f'x/downloads/{name}']


@pytest.mark.parametrize('name, write', [('FLIC.zip', write_zip),
                                         ('flic.tar.gz', write_tar)])
@pytest.mark.parametrize('kept', [0, 10, 0.5, 0.99])
def test_archives_that_ended_too_early(tmp_path, flic, name, write, kept):
    archive = write(tmp_path / name, flic)
    content = archive.read_bytes()
    end = kept if isinstance(kept, int) else int(kept * len(content))
    archive.write_bytes(content[:end])
    with pytest.raises(ValueError, match='download it again') as error:
        prepare(prepare_flic, archive, tmp_path / 'flic')
    assert str(archive) in str(error.value)
    assert nothing_but(tmp_path, name)


def test_what_is_not_in_the_downloads(tmp_path, flic, lsp):
    empty = tmp_path / 'empty'
    empty.mkdir()
    for prepare_it, message in ((prepare_flic, 'FLIC needs examples.mat'),
                                (prepare_lsp, 'LSP needs joints.mat'),
                                (prepare_mpii, 'MPII needs mpii_human_pose')):
        with pytest.raises(FileNotFoundError, match=message):
            prepare(prepare_it, empty, tmp_path / 'out')
    with pytest.raises(FileNotFoundError, match='no file or folder .*nowhere'):
        prepare(prepare_flic, tmp_path / 'nowhere', tmp_path / 'out')
    (empty / 'examples.mat').write_bytes(flic['FLIC/examples.mat'])
    with pytest.raises(
            FileNotFoundError,
            match='none of the 3 images .*film-00000001.jpg;.*--images'):
        prepare(prepare_flic, empty, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_several_files_that_could_be_meant(tmp_path, flic):
    source = unpacked(tmp_path / 'downloads', flic)
    copy = source / 'copy'
    copy.mkdir()
    shutil.copy(source / 'FLIC/examples.mat', copy)
    prepare(prepare_flic, source, tmp_path / 'flic')  # they are the same
    write_examples(copy, example(1))
    with pytest.raises(ValueError, match='several files .*copy/examples.mat'):
        prepare(prepare_flic, source, tmp_path / 'flic')


def test_nobody_elses_files_are_replaced(tmp_path, flic):
    archive = write_zip(tmp_path / 'FLIC.zip', flic)
    out = tmp_path / 'flic'
    theirs = unpacked(out, {'annotations/flic_train.json': b'theirs'})
    with pytest.raises(FileExistsError, match='not written by this tool'):
        prepare(prepare_flic, archive, out)
    assert content_of(theirs) == {'annotations/flic_train.json': b'theirs'}
    shutil.rmtree(out)
    unpacked(out, {'images/film-00000001.jpg': b'theirs'})
    with pytest.raises(FileExistsError, match='does not have all images'):
        prepare(prepare_flic, archive, out)
    assert content_of(out) == {'images/film-00000001.jpg': b'theirs'}
    shutil.rmtree(out)
    out.write_text('a file')
    with pytest.raises(FileExistsError, match='is not a folder'):
        prepare(prepare_flic, archive, out)


def test_downloads_unpacked_in_the_data_sets_own_folder(tmp_path, flic):
    out = tmp_path / 'flic'
    unpacked(out, {
        name.replace('FLIC/', ''): data
        for name, data in flic.items()
    })
    prepare(prepare_flic, out, out)
    assert nothing_but(out, 'annotations', 'images', 'prepared.json',
                       'examples.mat')
    assert not (out / 'images').is_symlink()
    before = content_of(out)
    prepare(prepare_flic, out, out, force=True)
    assert content_of(out) == before
