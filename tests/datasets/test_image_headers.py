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
    monkeypatch.setattr(image_headers, '_known', {})
    paths = [str(tmp_path / f'{side}.png') for side in (4, 5, 6)]
    for side, path in zip((4, 5, 6), paths):
        Image.new('RGB', (side, 9)).save(path)
    return paths


@pytest.fixture
def opened(monkeypatch):
    """The paths whose headers are read."""
    opened = []
    read = image_headers.read_header

    def spy(path):
        opened.append(path)
        return read(path)

    monkeypatch.setattr(image_headers, 'read_header', spy)
    return opened


def test_sizes_and_errors(paths, tmp_path):
    missing = str(tmp_path / 'none.png')
    headers = read_headers([*paths, missing, 's3://bucket/a.png'])
    assert [headers[path].size[0] for path in paths] == [4, 5, 6]
    assert isinstance(headers[missing], UnreadableImageError)
    assert len(headers) == 4


@pytest.mark.parametrize('many', [1, 1000])
def test_only_changed_files_are_read_again(many, paths, opened, monkeypatch,
                                           capsys):
    """Those of many images in the next process, too."""
    monkeypatch.setattr(image_headers, '_MANY', many)
    read_headers(paths)
    assert sorted(opened) == paths
    assert ('image headers' in capsys.readouterr().err) == (many == 1)
    Image.new('RGB', (7, 8)).save(paths[0])
    os.utime(paths[0], ns=(1, 1))
    opened.clear()
    if many == 1:
        image_headers._known.clear()  # another process
    assert read_headers(paths)[paths[0]].size == (7, 8)
    assert opened == [paths[0]]


def test_damaged_memory_is_ignored(paths, opened, monkeypatch):
    monkeypatch.setattr(image_headers, '_MANY', 1)
    read_headers(paths)
    (memory, ) = image_headers._memory_file(paths[0]).parent.iterdir()
    for content in ('', '[]', '{"a": 1}', '{"a": [1, 2, 3, 4]}'):
        memory.write_text(content)
        opened.clear()
        image_headers._known.clear()
        assert read_headers(paths)[paths[0]].size == (4, 9)
        assert len(opened) == 3
