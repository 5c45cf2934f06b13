"""Images are read whole or not at all, and so are they written."""
import sys

import numpy as np
import pytest

from hourglass_plugin.visualization import read_image, save_image

IMAGE = np.random.RandomState(0).randint(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize('name', [
    'image.png',
    pytest.param(
        'caf\udce9.png',  # b'caf\xe9.png': OpenCV would end the process
        marks=pytest.mark.skipif(sys.platform != 'linux', reason='no UTF-8'))])
def test_png_comes_back_as_it_was(name, tmp_path):
    path = tmp_path / 'new folder' / name
    save_image(path, IMAGE)
    np.testing.assert_array_equal(read_image(path), IMAGE)
    assert [file.name for file in path.parent.iterdir()] == [name]


@pytest.mark.parametrize('content, error', [(None, FileNotFoundError),
                                            (b'', ValueError),
                                            (b'not a picture', ValueError)])
def test_files_without_an_image_are_refused(content, error, tmp_path):
    if content is not None:
        (tmp_path / 'a.jpg').write_bytes(content)
    with pytest.raises(error):
        read_image(tmp_path / 'a.jpg')


@pytest.mark.parametrize('suffix', ['sketch', 'jp\udce9'])
def test_an_unknown_format_leaves_nothing_behind(suffix, tmp_path):
    with pytest.raises(ValueError):
        save_image(tmp_path / 'a' / f'image.{suffix}', IMAGE)
    assert not list(tmp_path.iterdir())
