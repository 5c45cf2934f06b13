"""FLIC's download, as a folder or an archive, and what it becomes."""
import pytest
from downloads import content_of, convert, flic_files, write_zip

flic = pytest.fixture(flic_files)


@pytest.fixture
def archive(tmp_path, flic):
    return write_zip(tmp_path / 'FLIC.zip', flic)


@pytest.fixture
def converted(tmp_path, archive):
    """The converted archive's folder and the files in it."""
    convert('flic', archive, tmp_path / 'flic')
    return tmp_path / 'flic', content_of(tmp_path / 'flic')


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'downloads'
    folder.mkdir()
    return folder
