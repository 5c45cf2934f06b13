"""The pages that Sphinx makes: no warning and no broken link."""
import html
import re
import sys
from urllib.parse import unquote

import pytest
from tool_process import ROOT, TOOLS, run_command

from hourglass_plugin.cli.main import COMMANDS

SCRIPTS = [
    path for path in TOOLS.rglob('*.py')
    if path.read_text().startswith('#!/usr/bin/env python\n')]


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The folder of the built pages."""
    for library in ('sphinx', 'furo', 'myst_parser'):
        pytest.importorskip(
            library, reason='pip install -r requirements/docs.txt')
    out = tmp_path_factory.mktemp('built') / 'html'
    run_command(sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q',
                '-d', out.parent / 'read', '-b', 'html', 'docs', out,
                folder=ROOT)
    return out


def test_links_of_built_pages(built):
    pages = {path: path.read_text('utf-8') for path in built.rglob('*.html')}
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text))
           for path, text in pages.items()}
    broken = set()
    for path, text in pages.items():
        if path.name in ('genindex.html', 'search.html'):
            continue
        for link in re.findall(r'<a [^>]*?href="([^"]+)"', text):
            target, _, anchor = unquote(link).partition('#')
            to = (path.parent / target).resolve() if target else path
            if not re.match(r'[a-z]+:', target) and (
                    not to.is_file()
                    or (anchor and anchor not in ids.get(to, ()))):
                broken.add(f'{path.relative_to(built)}: {link}')
    assert len(pages) > 80
    assert not broken
    # Docstrings are there, arguments with their types.
    network = pages[built / 'api/network.html']
    assert '<strong>num_stacks</strong> (<em>int</em>)' in network


def test_command_line_reference_has_every_command(built):
    page = (built / 'cli.html').read_text('utf-8')
    text = html.unescape(re.sub('<[^>]+>', '', page))
    for name in COMMANDS:
        assert f'hourglass {name}' in text
    for path in SCRIPTS:  # those that are a sub-command are named
        assert path.name in text, path
    # Arguments with their help, of a sub-command and of a script.
    for words in ('--auto-scale-lr', "from the config's auto_scale_lr",
                  '--zero-based', 'benchmark/run.py inference'):
        assert words in text.replace('’', "'")
