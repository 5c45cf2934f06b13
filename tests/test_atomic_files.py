"""A file is there whole, or as it was before."""
import errno
import os

import pytest

from hourglass_plugin.atomic_files import atomic_file, check_outputs


def test_it_appears_at_the_end(tmp_path):
    target = tmp_path / 'new' / 'scores.json'
    with atomic_file(target) as partial:
        assert partial.suffix == '.json' and partial.parent == target.parent
        partial.write_text('1')
        assert not target.exists()
    assert target.read_text() == '1'
    assert list(target.parent.iterdir()) == [target]


def interrupted(target, content):
    with atomic_file(target) as partial:
        if content:
            partial.write_text(content)
        raise KeyboardInterrupt


@pytest.mark.parametrize('content', ['', 'half'])
def test_an_error_leaves_what_was_there(content, tmp_path):
    target = tmp_path / 'scores.json'
    target.write_text('old')
    with pytest.raises(KeyboardInterrupt):
        interrupted(target, content)
    assert target.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_and_its_target_is_written(tmp_path):
    (tmp_path / 'real').mkdir()
    link = tmp_path / 'link.json'
    link.symlink_to(tmp_path / 'real' / 'scores.json')
    for content in ('1', '2'):  # the first finds a link to nothing
        with atomic_file(link) as partial:
            partial.write_text(content)
        assert link.is_symlink()
        assert (tmp_path / 'real' / 'scores.json').read_text() == content
    assert len(list((tmp_path / 'real').iterdir())) == 1


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'below a file'])
def test_a_path_that_is_not_a_file_is_named_and_stays(tmp_path, kind):
    path = tmp_path / 'scores.json'
    if kind == 'folder':
        path.mkdir()
    elif kind == 'pipe':
        os.mkfifo(path)
    else:
        path.write_text('old')
        path /= 'x.json'
    before = os.stat(tmp_path / 'scores.json').st_ino
    with pytest.raises(OSError) as raised, atomic_file(path) as partial:
        partial.write_text('1')
    assert 'scores.json' in raised.value.filename
    assert 'partial' not in raised.value.filename
    assert os.stat(tmp_path / 'scores.json').st_ino == before
    with pytest.raises(ValueError):
        check_outputs({'--out': path})


def test_an_error_of_writing_names_the_file_itself(tmp_path):
    target = tmp_path / 'scores.json'
    for named in (True, False):
        with pytest.raises(OSError) as raised, atomic_file(target) as partial:
            raise OSError(errno.ENOSPC, 'full', *[str(partial)] * named)
        assert raised.value.filename == str(target)


def test_outputs_that_cannot_be_written_are_refused(tmp_path, monkeypatch):
    path, link = tmp_path / 'p.json', tmp_path / 'link.json'
    path.write_text('old')
    link.symlink_to(path)
    check_outputs({'--out': path, '--curve': tmp_path / 'new' / 'curve.png',
                   '--dump': None}, [tmp_path / 'input.json', None])
    assert {*tmp_path.iterdir()} == {path, link}  # nothing is made
    for output in (path, link, tmp_path / 'x' / '..' / 'p.json'):
        with pytest.raises(ValueError):
            check_outputs({'--out': output}, [path])
    with pytest.raises(ValueError):
        check_outputs({'--out': path, '--curve': link})
    # Root may write anywhere, so that its modes would show nothing.
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(ValueError):
        check_outputs({'--out': tmp_path / 'new' / 'scores.json'})
