"""Images are read whole or not at all, and so are they written."""
import sys

import numpy as np
import pytest

from hourglass_plugin.visualization import read_image, save_image


def test_png_comes_back_as_it_was(tmp_path):
    image = np.random.RandomState(0).randint(0, 256, (5, 7, 3), np.uint8)
    path = tmp_path / 'new folder' / 'image.png'
    save_image(path, image)
    np.testing.assert_array_equal(read_image(path), image)
    assert [file.name for file in path.parent.iterdir()] == ['image.png']


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / 'missing.jpg')


@pytest.mark.parametrize('content', [b'', b'not a picture'])
def test_what_is_not_an_image_is_named(tmp_path, content):
    path = tmp_path / 'broken.jpg'
    path.write_bytes(content)
    with pytest.raises(ValueError):
        read_image(path)


def test_an_unknown_format_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError):
        save_image(tmp_path / 'a' / 'image.sketch', np.zeros((2, 2, 3)))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    sys.platform != 'linux', reason='other systems have no such names')
def test_names_that_are_not_utf8(tmp_path):
    """OpenCV must not see them: it ends the process."""
    image = np.full((2, 3, 3), 7, np.uint8)
    path = tmp_path / 'caf\udce9.png'  # b'caf\xe9.png'
    save_image(path, image)
    np.testing.assert_array_equal(read_image(path), image)
    with pytest.raises(ValueError):
        save_image(tmp_path / 'a.jp\udce9', image)
