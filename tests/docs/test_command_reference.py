"""The pages' command line reference, from the parsers themselves."""
import sys

import pytest
from tool_process import ROOT, TOOLS

from hourglass_plugin.cli.main import COMMANDS


def test_reference_has_every_command_with_its_arguments(monkeypatch):
    pytest.importorskip(
        'sphinx', reason='pip install -r requirements/docs.txt')
    monkeypatch.syspath_prepend(str(ROOT / 'docs' / 'extensions'))
    monkeypatch.setattr(sys, 'path', list(sys.path))  # scripts change it
    import command_reference
    page = [(ROOT / 'docs/cli.md').read_text('utf-8')]
    command_reference.write_reference(None, 'cli', page)
    text, = page
    for name in COMMANDS:
        assert f'`hourglass {name}`' in text
    for path in TOOLS.rglob('*.py'):
        if path.read_text().startswith('#!/usr/bin/env python\n'):
            assert path.name in text, path  # also those that are a command
    # Arguments with their help, of a sub-command and of a script.
    for words in ('--auto-scale-lr', "from the config's auto\\_scale\\_lr",
                  '--zero-based', 'benchmark/run.py inference'):
        assert words in text, words
