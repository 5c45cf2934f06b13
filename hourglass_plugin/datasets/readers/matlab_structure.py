"""The structure of a MATLAB file, checked before SciPy reads it.

SciPy trusts what a file says of itself: a damaged byte in the wrong place, or
a file made for it, ends the process or fills its memory (SciPy 1.17: about 1
of 80 uncompressed files of which some bytes were changed). What is checked is
what its compiled reader relies on: that each element has a type that may
stand there and lies within the one around it, and that there are as many
numbers, cells and fields as the sizes say.

The format is MathWorks' "MAT-File Format", level 5: a header of 128 bytes and
elements, each a tag (type, number of bytes), data and padding to 8 bytes.
All positions are counted in bytes.
"""
import struct
import zlib
from pathlib import Path
from typing import Union

_HEADER = 128
_COMPRESSED, _MATRIX = 15, 14
#: Types of sizes, flags and names, and their bytes.
_WHOLE, _NAME = {5: 4, 6: 4}, {1: 1, 16: 1}

#: Bytes of a number of each type.
_NUMBERS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
#: The same of texts' characters, which may also be UTF-8, 16 and 32.
_CHARACTERS = {1: 1, 2: 1, 3: 2, 4: 2, 16: 1, 17: 2, 18: 4}

_CELLS, _STRUCTS, _TEXT = 1, 2, 4
_NUMERIC = range(6, 16)
#: What else a variable can be; nothing that people are annotated with.
_REFUSED = {
    3: 'an object',
    5: 'a sparse matrix',
    16: 'a function',
    17: 'an object',
    18: 'an object'
}
_IS_COMPLEX = 0x800

#: Flags, two sizes and no name, and the tag of what is in the array.
_HEAD = 48

#: Structs in cells in structs; MPII's official file has 9 such levels.
_DEEPEST = 64
#: Bytes of one variable, which MATLAB's format cannot exceed either.
_LARGEST = 1 << 31


def check_matlab_structure(path: Union[str, Path]) -> None:
    """Refuse a file with which SciPy could not deal.

    Files of format 7.3, which are HDF5, are left to others.

    Raises:
        ValueError: saying what is wrong, without the file's name.
    """
    data = Path(path).read_bytes()
    if len(data) < _HEADER or 0 in data[:4]:
        raise ValueError('it has no header of format 5 to 7.2')
    orders = {b'IM': '<', b'MI': '>'}
    if data[126:128] not in orders:
        raise ValueError('its header does not tell the order of bytes')
    order = orders[data[126:128]]
    version = struct.unpack_from(f'{order}H', data, 124)[0]
    if version == 0x0200:  # HDF5
        return
    if version != 0x0100:
        raise ValueError(f'its header has the unknown version {version:#x}')
    position, end = _HEADER, len(data)
    while position < end:
        if position + 8 > end:
            raise ValueError('it ends within a tag')
        kind, size = struct.unpack_from(f'{order}II', data, position)
        position += 8
        if position + size > end:
            raise ValueError('it ends within a variable')
        if kind == _COMPRESSED:
            _check_variable(_decompress(data[position:position + size]), order)
        elif kind == _MATRIX:
            # With its tag, as in a compressed one.
            _check_variable(data[position - 8:position + size], order)
        else:
            raise ValueError(f'it has an element of type {kind} in place of a '
                             'variable')
        position += size


def _decompress(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, _LARGEST)
    except zlib.error as error:
        raise ValueError(
            f'a compressed variable is damaged: {error}') from None
    if not unpacker.eof:
        raise ValueError('a compressed variable is cut off, or too large')
    return content


def _check_variable(data: bytes, order: str) -> None:
    """Check one variable with its tag."""
    elements = _Elements(data, order)
    kind, start, end = elements.tag(0, len(data))
    if kind != _MATRIX:
        raise ValueError(f'a variable is of type {kind}, not a matrix')
    if start < end:
        elements.check_matrix(start, end, 0)


class _Elements:
    """The elements of one variable.

    Args:
        data: the variable's bytes.
        order: ``<`` or ``>``, as in :mod:`struct`.
    """

    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order
        self._two = struct.Struct(f'{order}II').unpack_from
        # The tags and heads of numbers and texts that were found right. MPII's
        # official file has millions, which are alike.
        self._checked: set[bytes] = set()

    def tag(self, position: int, end: int) -> tuple[int, int, int]:
        """Type, start and end of the element at a position, in ``end``."""
        if position + 8 > end:
            raise ValueError('an element is missing')
        kind, size = self._two(self._data, position)
        start = position + 8
        if kind >> 16:  # short: the size, then the type, then the data
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
            if size > 4:
                raise ValueError(f'a short element has {size} bytes')
        if start + size > end:
            raise ValueError('an element is longer than what it belongs to')
        return kind, start, start + size

    def _plain(self, position: int, end: int,
               sizes: dict[int, int]) -> tuple[int, int, int]:
        """The same of numbers or characters; their count and what follows."""
        kind, start, stop = self.tag(position, end)
        size = sizes.get(kind)
        if size is None or (stop - start) % size:
            raise ValueError(f'there are {stop - start} bytes of type {kind} '
                             'where there should be numbers or characters')
        return start, (stop - start) // size, _following(stop, start, position)

    def check_matrix(self, position: int, end: int, depth: int) -> None:
        """Check the inside of a matrix."""
        begin, is_plain = position, False
        if depth > _DEEPEST:
            raise ValueError(f'it is nested more than {_DEEPEST} times')
        start, count, position = self._plain(position, end, _WHOLE)
        if count != 2:
            raise ValueError('the flags of an array are missing')
        flags = self._two(self._data, start)[0]
        kind = flags & 0xFF
        if kind in _REFUSED:
            raise ValueError(f'it holds {_REFUSED[kind]}, which is not read')
        start, count, position = self._plain(position, end, _WHOLE)
        if not 2 <= count <= 32:
            raise ValueError(f'an array has {count} dimensions')
        total = 1
        for side in struct.unpack_from(f'{self._order}{count}i', self._data,
                                       start):
            if side < 0:
                raise ValueError(f'an array has the side {side}')
            total *= side
        _, _, position = self._plain(position, end, _NAME)
        data_tag = position
        if kind in _NUMERIC:
            for _ in range(2 if flags & _IS_COMPLEX else 1):
                _, count, position = self._plain(position, end, _NUMBERS)
                if count != total:
                    raise ValueError(f'an array of {total} numbers has '
                                     f'{count}')
            is_plain = not flags & _IS_COMPLEX
        elif kind == _TEXT:
            _, count, position = self._plain(position, end, _CHARACTERS)
            # None at all stand for blanks.
            if count < total and (count or total > len(self._data)):
                raise ValueError(f'a text of {total} characters has {count}')
            is_plain = True
        elif kind == _CELLS:
            position = self._check_parts(position, end, total, depth)
        elif kind == _STRUCTS:
            names, position = self._num_fields(position, end)
            if not names and total > len(self._data):
                raise ValueError(f'there are {total} structs without fields')
            position = self._check_parts(position, end, total * names, depth)
        else:
            raise ValueError(f'an array is of the unknown class {kind}')
        if position < end:
            raise ValueError('an array ends before its element')
        # What follows the head is then as long as the tag at its end says.
        if is_plain and data_tag == begin + _HEAD - 8:
            self._checked.add(self._data[begin - 8:begin + _HEAD])

    def _num_fields(self, position: int, end: int) -> tuple[int, int]:
        """How many names a struct has, and where its fields begin."""
        start, count, position = self._plain(position, end, _WHOLE)
        if count != 1:
            raise ValueError('the length of field names is missing')
        length = struct.unpack_from(f'{self._order}i', self._data, start)[0]
        _, count, position = self._plain(position, end, _NAME)
        if length < 1 or count % length:
            raise ValueError(f'field names have {count} bytes, {length} each')
        return count // length, position

    def _check_parts(self, position: int, end: int, count: int,
                     depth: int) -> int:
        """Check the arrays in cells or fields; where they end."""
        if 8 * count > end - position:
            raise ValueError(f'there are fewer than {count} cells or fields')
        two, data, checked = self._two, self._data, self._checked
        for _ in range(count):
            if position + 8 <= end:
                kind, size = two(data, position)
                stop = position + 8 + size
                if kind == _MATRIX and stop <= end and (
                        data[position:position + 8 + _HEAD]) in checked:
                    position = stop
                    continue
            kind, start, stop = self.tag(position, end)
            if kind != _MATRIX or start != position + 8:
                raise ValueError(f'an element of type {kind} stands where an '
                                 'array should')
            if start < stop:  # else MATLAB's [] in its shortest form
                self.check_matrix(start, stop, depth + 1)
            position = stop
        return position


def _following(stop: int, start: int, position: int) -> int:
    """Where the next element begins: 8 bytes on, or a multiple of them."""
    if start == position + 4:
        return position + 8
    return stop + (start - stop) % 8
