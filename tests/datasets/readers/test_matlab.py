"""Values of MATLAB files, in any shape and type."""
import numpy as np
import pytest
from matlab_files import EMPTY, cell_array, struct, struct_array
from scipy.io import savemat

from hourglass_plugin.datasets.readers import matlab


def reread(folder, value):
    """A value as it comes back from a file."""
    savemat(folder / 'a.mat', {'value': value})
    return matlab.load_matlab(folder / 'a.mat')['value']


@pytest.mark.parametrize('kind, written, read', [
    *((matlab.number, written, read) for written, read in (
        (7.25, 7.25), (np.uint16(65535), 65535), (np.int8(-3), -3), (True, 1),
        ('1', 1), (' 12 ', 12), ('', None), (' ', None), (EMPTY, None),
        (np.zeros((1, 0), np.uint8), None), (np.nan, None),
        (cell_array([np.array([[4.0]])]), 4), (cell_array(['5']), 5),
        (cell_array([EMPTY]), None),
        ({}, None), (cell_array([{}]), None),  # structs without fields
        (np.array([[1.0, 2.0]]), ValueError), ('one', ValueError),
        (struct(y=1), ValueError))),
    *((matlab.text, written, read) for written, read in (
        ('a.jpg', 'a.jpg'), (cell_array(['b.jpg']), 'b.jpg'), ('', None),
        (EMPTY, None), ({}, None), (cell_array([{}]), None),
        (np.array([[97.0, 98.0]]), ValueError)))])
def test_numbers_and_texts(tmp_path, kind, written, read):
    record, = matlab.structs(reread(tmp_path, struct(x=written, y=1)))
    assert matlab.number(record, 'y') == 1 and kind(record, 'absent') is None
    if read is ValueError:
        with pytest.raises(ValueError):
            kind(record, 'x')
    else:
        assert kind(record, 'x') == read


SIX = [dict(x=n) for n in range(6)]


@pytest.mark.parametrize('value, order', [
    (struct_array(SIX, (1, 6)), range(6)),
    (struct_array(SIX, (6, 1)), range(6)),
    # MATLAB counts the elements of a matrix down its columns.
    (struct_array(SIX, (2, 3)), [0, 3, 1, 4, 2, 5]),
    (struct(x=0), [0]),
    # So SciPy writes a list of dicts, and an array of dicts.
    (SIX[:2], [0, 1]), (cell_array([EMPTY, *SIX[:2]]), [0, 1]),
    # What stands in place of a struct.
    *((nothing, []) for nothing in (
        EMPTY, struct_array([dict(x=1)])[:, :0], cell_array([]),
        cell_array([EMPTY]), {}, 3.0, ''))])
def test_struct_arrays(tmp_path, value, order):
    record, = matlab.structs(reread(tmp_path, struct(value=value)))
    read = reread(tmp_path, value) if order else matlab.field(record, 'value')
    found = [matlab.number(each, 'x') for each in matlab.structs(read)]
    assert found == list(order)


def test_missing_files_and_variables_and_other_formats(tmp_path):
    path = tmp_path / 'a.mat'
    savemat(path, dict(b=1, c=2))
    # loadmat would have added the suffix and read the other file.
    for missing in (tmp_path / 'b.mat', tmp_path / 'a'):
        with pytest.raises(FileNotFoundError):
            matlab.load_matlab(missing)
    with pytest.raises(ValueError):
        matlab.load_matlab(path, needed=['a', 'b', 'd'])
    head = b'MATLAB 7.3 MAT-file'.ljust(124) + bytes([0, 2]) + b'IM'
    for content in (
            head.ljust(512, b'\0') + b'\x89HDF\r\n\x1a\n' + bytes(99),
            b'[{"image": "a.jpg"}]' * 20):
        path.write_bytes(content)
        with pytest.raises(ValueError):
            matlab.load_matlab(path)
