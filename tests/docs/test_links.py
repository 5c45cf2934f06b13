"""Links, anchors, options and modules that pages name are there."""
import re

import pytest
from page import ROOT, anchors, commands, links, page_text, pieces

PAGES = [
    'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md',
    *(path.relative_to(ROOT).as_posix()
      for folder in ('docs', 'configs')
      for path in sorted((ROOT / folder).rglob('*.md'))
      if '_build' not in path.parts)
]


def broken_links(name):
    """Links of a page that lead to no file, or to no heading in it."""
    folder = (ROOT / name).parent
    broken = []
    for link in links(page_text(name)):
        if re.match(r'(https?|mailto):', link):
            continue
        target, _, anchor = link.partition('#')
        path = (folder / target).resolve() if target else ROOT / name
        if not path.exists() or (anchor and anchor not in anchors(
                path.read_text(encoding='utf-8'))):
            broken.append(link)
    return broken


@pytest.mark.parametrize('name', PAGES)
def test_links_lead_somewhere(name):
    assert broken_links(name) == []


def test_what_links_and_anchors_are(tmp_path):
    """What the test above relies on, by hand."""
    page = ('# A *b* `c-d`\n[x](../f.py#a_b) ![y](z.jpg) `[no](no)`\n'
            '```\n# no\n[no](no)\n```\n## What goes in, what comes out?\n')
    assert links(page) == ['../f.py#a_b', 'z.jpg']
    assert anchors(page) == {'a-b-c-d', 'what-goes-in-what-comes-out'}


@pytest.mark.parametrize('name', PAGES)
def test_tools_and_their_options_exist(name):
    missing = []
    for command in commands(page_text(name)):
        path = re.match(r'(?:bash|python) (tools/\S+)', command)
        if path is None:
            continue
        tool = ROOT / path[1]
        source = tool.read_text() if tool.is_file() else ''
        # The script of several processes hands its arguments on.
        shared = (ROOT / 'tools/arguments.py').read_text()
        missing += [
            f'{path[1]} {option}'
            for option in re.findall(r' (--[a-z-]+)', command)
            # As argparse names it, or a branch of a script's `case`.
            if f"'{option}'" not in source + shared
            and f'{option})' not in source
        ] or [path[1]] * (not source)
    assert missing == []


def test_every_module_has_its_place_in_the_api_pages():
    described = [
        name for path in (ROOT / 'docs/api').glob('*.rst') for name in
        re.findall(r'^\.\. automodule:: (\S+)$', path.read_text(), re.M)
    ]
    modules = {
        '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        for path in (ROOT / 'hourglass_plugin').rglob('*.py')
        if path.name != '__init__.py'
    }
    packages = {
        '.'.join(path.relative_to(ROOT).parent.parts)
        for path in (ROOT / 'hourglass_plugin').rglob('__init__.py')
    }
    assert len(described) == len(set(described))
    assert modules - set(described) == set()
    assert set(described) - modules <= packages


def test_every_page_is_in_the_index_and_followed_by_a_test():
    index = page_text('docs/index.md')
    trees = [
        text for language, text in pieces(index) if language == '{toctree}'
    ]
    listed = {line for tree in trees for line in tree.splitlines()}
    tests = ''.join(
        path.read_text() for path in (ROOT / 'tests').rglob('*.py'))
    for path in (ROOT / 'docs').glob('*.md'):
        if path.name != 'index.md':
            assert path.stem in listed
            assert re.search(rf'docs\W+{path.name}', tests)
