"""Headers of images are read once and remembered."""
import os

import pytest
from PIL import Image

from hourglass_plugin.datasets import image_headers
from hourglass_plugin.datasets.image_headers import read_headers
from hourglass_plugin.transforms.image_io import UnreadableImageError


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(image_headers, '_MANY', 3)
    paths = [str(tmp_path / f'{side}.png') for side in (4, 5, 6)]
    for side, path in zip((4, 5, 6), paths):
        Image.new('RGB', (side, 9)).save(path)
    return paths


@pytest.fixture
def opened(monkeypatch):
    """The paths whose headers are read."""
    opened, read = [], image_headers.read_header
    monkeypatch.setattr(image_headers, 'read_header',
                        lambda path: opened.append(path) or read(path))
    return opened


def test_sizes_and_errors(paths, tmp_path):
    missing = str(tmp_path / 'none.png')
    headers = read_headers([*paths, missing, 's3://bucket/a.png'])
    assert [headers[path].size[0] for path in paths] == [4, 5, 6]
    assert isinstance(headers[missing], UnreadableImageError)
    assert len(headers) == 4


def test_headers_of_many_images_are_remembered(paths, opened, capsys):
    """Those of changed files are read again; others of the folder stay."""
    read_headers(paths)
    assert sorted(opened) == paths
    assert 'image headers' in capsys.readouterr().err
    Image.new('RGB', (7, 8)).save(paths[0])
    os.utime(paths[0], ns=(1, 1))
    opened.clear()
    assert read_headers(paths)[paths[0]].size == (7, 8)
    assert opened == [paths[0]] and not capsys.readouterr().err
    for path in [*paths[1:], paths[1] + '.png']:
        Image.new('RGB', (7, 8)).save(path)
    read_headers([*paths[1:], path])
    opened.clear()
    assert read_headers(paths)[paths[0]].size == (7, 8) and not opened


@pytest.mark.parametrize('content', [
    '', '[]', '{"a": 1}', '{"a": [1, 2, 3, 4]}'])
def test_damaged_memory_is_ignored(paths, opened, content):
    read_headers(paths)
    image_headers._memory_file(paths[0]).write_text(content)
    assert read_headers(paths)[paths[0]].size == (4, 9)
    assert len(opened) == 6
