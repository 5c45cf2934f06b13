"""The pages that Sphinx makes: no warning, and no link into the void."""
import os
import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
from page import ROOT

CONFIGS = 'files/configs/body_2d_keypoint/topdown_heatmap'


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The folder of the built pages."""
    for library in ('sphinx', 'furo', 'myst_parser'):
        pytest.importorskip(
            library, reason='pip install -r requirements/docs.txt')
    out = tmp_path_factory.mktemp('built') / 'html'
    finished = subprocess.run(
        [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-d',
         str(out.parent / 'read'), '-b', 'html', 'docs', str(out)],
        capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert finished.returncode == 0, finished.stderr
    return out


def test_links_of_built_pages(built):
    pages = {
        path: path.read_text(encoding='utf-8')
        for path in built.rglob('*.html')
    }
    ids = {
        path: set(re.findall(r'\bid="([^"]+)"', text))
        for path, text in pages.items()
    }
    broken = []
    for path, text in pages.items():
        if path.name in ('genindex.html', 'search.html'):
            continue
        for link in re.findall(r'<a [^>]*?href="([^"]+)"', text):
            target, _, anchor = unquote(link).partition('#')
            if re.match(r'[a-z]+:', target):
                continue
            to = (path.parent / target).resolve() if target else path
            if not to.is_file() or (anchor and anchor not in ids.get(to, ())):
                broken.append(f'{path.relative_to(built)}: {link}')
    assert len(pages) > 80
    assert sorted(set(broken)) == []


@pytest.mark.parametrize('page, link, text', [
    ('project/overview', f'{CONFIGS}/lspet/'
     'td-hm_hg1-w128_1xb16-12e_lspet-128x128.py', 'max_epochs'),
    ('paper', f'{CONFIGS}/mpii', 'td-hm_hg8_1xb6-220e_mpii-256x256.py'),
    ('paper', 'project/overview', 'Results'),
    ('api/network', '_modules/hourglass_plugin/models/stacked_hourglass',
     'StackedHourglass'),
])
def test_where_links_of_the_repository_lead(built, page, link, text):
    """From a page's link to a file, to what is in it."""
    steps = '../' * page.count('/')
    source = (built / f'{page}.html').read_text(encoding='utf-8')
    assert f'href="{steps}{link}.html' in source or (
        f'href="{link.split("/")[-1]}.html' in source)
    assert text in (built / f'{link}.html').read_text(encoding='utf-8')


def test_docstrings_are_on_the_pages(built):
    text = (built / 'api/network.html').read_text(encoding='utf-8')
    name = 'hourglass_plugin.models.stacked_hourglass.StackedHourglass'
    assert f'id="{name}"' in text
    # The argument's description with its type.
    assert re.search(
        r'<strong>num_stacks</strong> \(<em>int</em>\) – number of '
        'hourglasses', text)
