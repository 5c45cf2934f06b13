"""The paper's own annotation files: rows to people, by hand."""
import sys

import numpy as np
import pytest
from newell_files import newell_rows, write_newell_h5

from hourglass_plugin.datasets.readers.newell_h5 import read_newell_h5
from hourglass_plugin.skeletons import FLIC, MPII


def read(folder, rows, skeleton=MPII):
    return read_newell_h5(write_newell_h5(folder / 'a.h5', rows), skeleton)


def test_an_mpii_person_by_hand(tmp_path):
    rows = newell_rows(2, 16)
    rows['center'][1] = [594, 302.315]  # 257 + 15 * 3.021
    rows['scale'][1] = 3.77625  # 1.25 * 3.021
    rows['part'][1, 4] = [620, 394.5]
    rows['normalize'][1] = 51.25
    people = read(tmp_path, rows)
    assert len(people) == 2
    person = people[1]
    assert person.image == '000000001.jpg'
    np.testing.assert_allclose(person.center, [593, 301.315], rtol=1e-6)
    assert person.scale == pytest.approx(3.021)
    assert person.keypoints[4].tolist() == [619, 393.5]
    assert person.head_size == 51.25 and person.torso_size is None
    assert person.official_index == (3, 1)
    assert person.annotated.all() and person.visible.all()


def test_flic_has_a_torso_and_a_crop_of_440_pixels(tmp_path):
    rows = newell_rows(1, 11)
    rows['scale'][0], rows['normalize'][0] = 2.2, 192.5
    person, = read(tmp_path, rows, FLIC)
    assert person.scale * 1.25 * 200 == pytest.approx(440)
    assert person.torso_size == 192.5 and person.head_size is None


def test_annotated_is_not_visible(tmp_path):
    rows = newell_rows(2, 16)
    part, visible = rows['part'][0], rows['visible'][0]
    visible[0] = 0  # occluded
    part[1], visible[1] = 0, 0  # missing
    part[2], visible[2] = [0, 90], 0  # occluded, left of the image's border
    part[3], visible[3] = [-4, 0], 0  # occluded, outside
    part[4], visible[4] = 0, 1  # visible in the corner
    part[5], visible[5] = np.nan, 0  # missing, too
    # A person without joints, as the code that wrote the files marks one.
    rows['part'][1], rows['visible'][1] = -1, -1
    person, bare = read(tmp_path, rows)
    assert np.flatnonzero(~person.annotated).tolist() == [1, 5]
    assert np.flatnonzero(~person.visible).tolist() == [0, 1, 2, 3, 5]
    assert person.keypoints[3].tolist() == [-5, -1]
    assert np.isfinite(person.keypoints).all()
    assert not bare.annotated.any() and not bare.visible.any()


@pytest.mark.parametrize(
    'names', [
        np.array([b'000000000.jpg', b'a.jpg']),
        np.array([b'000000000.jpg'.ljust(16, b'\0'), b'a.jpg'.ljust(16)]),
        np.array([list(b'000000000.jpg\0\0'),
                  list(b'a.jpg'.ljust(15, b'\0'))], np.uint8),
        np.array([list(b'000000000.jpg\0\0'),
                  list(b'a.jpg'.ljust(15, b'\0'))], np.float64),
        np.array([list(b'000000000.jpg'),
                  list(b'a.jpg'.ljust(13))], np.int32),
        ['000000000.jpg', 'a.jpg'],
    ],
    ids=['bytes', 'padded', 'uint8', 'float', 'spaces', 'variable'])
def test_image_names(tmp_path, names):
    people = read(tmp_path, dict(newell_rows(2, 16), imgname=names))
    assert [person.image for person in people] == ['000000000.jpg', 'a.jpg']


def test_columns_that_need_not_be_there(tmp_path):
    rows = newell_rows(2, 16)
    for name in ('visible', 'normalize', 'index', 'person'):
        del rows[name]
    rows['part'][0, 7] = 0
    person, _ = read(tmp_path, rows)
    assert np.flatnonzero(~person.annotated).tolist() == [7]
    assert person.visible is None and person.head_size is None
    assert person.official_index is None


@pytest.mark.parametrize('size', [0, -1, np.nan])
def test_no_head_size(tmp_path, size):
    """The test set's file has nothing to normalise with."""
    rows = newell_rows(2, 16)
    rows['normalize'][0] = size
    first, second = read(tmp_path, rows)
    assert first.head_size is None
    assert second.head_size == rows['normalize'][1]


def test_groups_in_place_of_columns(tmp_path):
    rows = newell_rows(2, 16)
    rows['part/inside'] = rows.pop('part')
    with pytest.raises(ValueError):
        read(tmp_path, rows)


def test_without_h5py_the_way_out_is_named(tmp_path, monkeypatch):
    path = write_newell_h5(tmp_path / 'a.h5', newell_rows(1, 16))
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(ModuleNotFoundError):
        read_newell_h5(path, MPII)
