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


def test_every_module_has_its_place_in_the_api_pages():
    described = [
        name for path in (ROOT / 'docs/api').glob('*.rst') for name in
        re.findall(r'^\.\. automodule:: (\S+)$', path.read_text(), re.M)
    ]
    modules, packages = set(), set()
    for path in (ROOT / 'hourglass_plugin').rglob('*.py'):
        parts = path.relative_to(ROOT).with_suffix('').parts
        if path.name == '__init__.py':
            packages.add('.'.join(parts[:-1]))
        else:
            modules.add('.'.join(parts))
    assert len(described) == len(set(described))
    assert modules <= set(described) <= modules | packages
