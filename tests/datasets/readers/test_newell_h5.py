"""The paper's own annotation files: rows to people, by hand."""
import sys

import numpy as np
import pytest
from newell_files import newell_rows, write_newell_h5

from hourglass_plugin.datasets.readers.newell_h5 import read_newell_h5
from hourglass_plugin.skeletons import MPII


def read(folder, rows):
    return read_newell_h5(write_newell_h5(folder / 'a.h5', rows), MPII)


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


def codes(dtype, end=b'\0'):
    """Two names as rows of character codes."""
    return np.array([list(name.ljust(15, end))
                     for name in (b'000000000.jpg', b'a.jpg')], dtype)


@pytest.mark.parametrize('names', [
    np.array([b'000000000.jpg', b'a.jpg']),
    np.array([b'000000000.jpg'.ljust(16, b'\0'), b'a.jpg'.ljust(16)]),
    codes(np.uint8), codes(np.float64), codes(np.int32, b' '),
    ['000000000.jpg', 'a.jpg']])
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
    first, second = read(
        tmp_path, dict(newell_rows(2, 16), normalize=[size, 7.5]))
    assert first.head_size is None and second.head_size == 7.5


def test_without_h5py_the_way_out_is_named(tmp_path, monkeypatch):
    path = write_newell_h5(tmp_path / 'a.h5', newell_rows(1, 16))
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(ModuleNotFoundError):
        read_newell_h5(path, MPII)
