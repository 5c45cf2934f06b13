"""A file is there whole, or as it was before."""
import pytest

from hourglass_plugin.atomic_files import atomic_file


def test_it_appears_at_the_end(tmp_path):
    target = tmp_path / 'new' / 'scores.json'
    with atomic_file(target) as partial:
        assert partial.suffix == '.json' and partial.parent == target.parent
        partial.write_text('1')
        assert not target.exists()
    assert target.read_text() == '1'
    assert list(target.parent.iterdir()) == [target]


def interrupted(target, is_begun):
    with atomic_file(target) as partial:
        if is_begun:
            partial.write_text('half')
        raise KeyboardInterrupt


@pytest.mark.parametrize('is_begun', [False, True])
def test_an_error_leaves_what_was_there(tmp_path, is_begun):
    target = tmp_path / 'scores.json'
    target.write_text('old')
    with pytest.raises(KeyboardInterrupt):
        interrupted(target, is_begun)
    assert target.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [target]
