"""Links, anchors and modules that pages name are there."""
import re

import pytest
from page import PAGES, anchors, links, page_text
from tool_process import ROOT


@pytest.mark.parametrize('name', PAGES)
def test_links_lead_to_files_and_headings(name):
    broken = []
    for link in links(page_text(name)):
        if re.match(r'(https?|mailto):', link):
            continue
        target, _, anchor = link.partition('#')
        path = ROOT / name
        if target:
            path = (path.parent / target).resolve()
        if not path.exists() or (anchor and anchor not in anchors(
                path.read_text(encoding='utf-8'))):
            broken.append(link)
    assert broken == []


def test_links_and_anchors_of_a_small_page():
    page = ('# A *b* `c-d`\n[x](../f.py#a_b) ![y](z.jpg) `[no](no)`\n'
            '```\n# no\n[no](no)\n```\n## What goes in, what comes out?\n')
    assert links(page) == ['../f.py#a_b', 'z.jpg']
    assert anchors(page) == {'a-b-c-d', 'what-goes-in-what-comes-out'}


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
