"""Values of MATLAB files, in any shape and type."""
import numpy as np
import pytest
from matlab_files import EMPTY, cell_array, struct, struct_array
from scipy.io import savemat

from hourglass_plugin.datasets.readers.matlab import (
    cells,
    field,
    load_matlab,
    number,
    structs,
    text,
)


def reread(folder, value):
    """A value as it comes back from a file."""
    savemat(folder / 'a.mat', {'value': value})
    return load_matlab(folder / 'a.mat')['value']


@pytest.mark.parametrize('written, read', [
    (7.25, 7.25), (np.uint16(65535), 65535), (np.int8(-3), -3), (True, 1),
    ('1', 1), (' 12 ', 12), ('', None), (' ', None), (EMPTY, None),
    (np.zeros((1, 0), np.uint8), None), (np.nan, None),
    (cell_array([np.array([[4.0]])]), 4), (cell_array(['5']), 5),
    (cell_array([EMPTY]), None),
    ({}, None), (cell_array([{}]), None),  # structs without fields
    (np.array([[1.0, 2.0]]), ValueError), ('one', ValueError),
    (struct(y=1), ValueError)])
def test_numbers(tmp_path, written, read):
    record, = structs(reread(tmp_path, struct(x=written, y=1)))
    assert number(record, 'y') == 1 and number(record, 'z') is None
    if read is ValueError:
        with pytest.raises(ValueError):
            number(record, 'x')
    else:
        assert number(record, 'x') == read


@pytest.mark.parametrize('written, read', [
    ('a.jpg', 'a.jpg'), (cell_array(['b.jpg']), 'b.jpg'), ('', None),
    (EMPTY, None), ({}, None), (cell_array([{}]), None)])
def test_texts(tmp_path, written, read):
    codes = np.array([[97.0, 98.0]])
    record, = structs(reread(tmp_path, struct(name=written, codes=codes)))
    assert text(record, 'name') == read and text(record, 'absent') is None
    with pytest.raises(ValueError):
        text(record, 'codes')


@pytest.mark.parametrize('value, order', [
    (struct_array([dict(x=n) for n in range(6)], (1, 6)), range(6)),
    (struct_array([dict(x=n) for n in range(6)], (6, 1)), range(6)),
    # MATLAB counts the elements of a matrix down its columns.
    (struct_array([dict(x=n) for n in range(6)], (2, 3)), [0, 3, 1, 4, 2, 5]),
    (struct(x=0), [0]),
    # So SciPy writes a list of dicts, and an array of dicts.
    ([dict(x=0), dict(x=1)], [0, 1]),
    (cell_array([EMPTY, dict(x=0), dict(x=1)]), [0, 1])])
def test_struct_arrays(tmp_path, value, order):
    read = structs(reread(tmp_path, value))
    assert [number(record, 'x') for record in read] == list(order)


@pytest.mark.parametrize('value', [
    EMPTY, struct_array([dict(x=1)])[:, :0], cell_array([]),
    cell_array([EMPTY]), {}, 3.0, ''])
def test_what_stands_in_place_of_a_struct(tmp_path, value):
    record, = structs(reread(tmp_path, struct(value=value)))
    assert structs(field(record, 'value')) == []


def test_cells(tmp_path):
    read = reread(tmp_path, cell_array([np.array([[1, 2]]), EMPTY, 'a']))
    assert [cell.size for cell in cells(read)] == [2, 0, 1]
    assert cells(reread(tmp_path, 3.0)) == cells(None) == []


def test_a_missing_variable_and_a_missing_file(tmp_path):
    savemat(tmp_path / 'a.mat', dict(b=1, c=2))
    with pytest.raises(ValueError):
        load_matlab(tmp_path / 'a.mat', needed=['a', 'b', 'd'])
    with pytest.raises(FileNotFoundError):
        load_matlab(tmp_path / 'b.mat')
    # loadmat would have added the suffix and read the other file.
    with pytest.raises(FileNotFoundError):
        load_matlab(tmp_path / 'a')


def test_files_of_format_7_3_and_other_kinds(tmp_path):
    path = tmp_path / 'a.mat'
    head = b'MATLAB 7.3 MAT-file'.ljust(124) + bytes([0, 2]) + b'IM'
    path.write_bytes(head.ljust(512, b'\0') + b'\x89HDF\r\n\x1a\n' + bytes(99))
    with pytest.raises(ValueError):
        load_matlab(path)
    path.write_bytes(b'[{"image": "a.jpg"}]' * 20)
    with pytest.raises(ValueError):
        load_matlab(path)
