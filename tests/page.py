"""Pages as readers follow them: commands, examples, links; running them."""
import ast
import contextlib
import io
import re
import shlex
import textwrap
from argparse import ArgumentParser

import pytest
from tool_process import ROOT, run_here

PAGES = [
    'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md',
    *(path.relative_to(ROOT).as_posix()
      for folder in ('docs', 'configs', 'hourglass_plugin')
      for path in sorted((ROOT / folder).rglob('*.md'))
      if '_build' not in path.parts and '.mim' not in path.parts)
]
_COMMAND = re.compile(r'([A-Z_]+=\S+ )*(bash|cp|git|mim|pip|python) \S')
_SPAN = r'(?<!`)`([^`\n]+)`(?!`)'
_PIECE = re.compile(
    r'^(`{3,})(\S*)[^\n]*\n(.*?)^\1'  # a fenced block
    r'|(?:(?<=\n\n)|\A)((?: {4}[^\n]*\n|\n(?= {4}|\n))+)'  # an indented one
    rf'|{_SPAN}', re.MULTILINE | re.DOTALL)


def page_text(name):
    """The text of a page, named from the repository's root."""
    return (ROOT / name).read_text(encoding='utf-8')


def pieces(text):
    """Yield (language, text) of a page's blocks and code within sentences.

    The language is that of a fence, ``'indented'`` or ``'sentence'``.
    """
    for _, language, fenced, indented, span in _PIECE.findall(f'{text}\n'):
        if span:
            yield 'sentence', span
        elif indented.strip():
            yield 'indented', textwrap.dedent(indented).strip('\n')
        elif not indented:
            yield language or 'text', fenced.rstrip('\n')


def commands(text):
    """Every command of a page, in order: in blocks and in sentences."""
    return [
        re.sub(r'\s+# .*', '', line).strip() for _, block in pieces(text)
        for line in block.splitlines() if _COMMAND.match(line)
    ]


def python_examples(text):
    """Blocks of Python: those fenced so, and indented ones that parse."""
    found = []
    for language, block in pieces(text):
        if language == 'python':
            found.append(block)
        elif language == 'indented':
            with contextlib.suppress(SyntaxError):
                ast.parse(block)
                found.append(block)
    return found


def follow(command, folder):
    """Run a page's ``python FILE ...`` in this process; the text printed."""
    script, *arguments = shlex.split(command)[1:]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            run_here(ROOT / script, arguments, folder)
        except SystemExit as stopped:
            if stopped.code not in (None, 0):
                pytest.fail(f'{command}: {stopped.code}')
    return printed.getvalue()


class _Parsed(BaseException):
    """Ends a tool that has parsed its command line."""


def parse(script, arguments, folder):
    """Parse a command line by a tool's own parser; the arguments."""
    parse_args = ArgumentParser.parse_args

    def stop(self, *given):
        raise _Parsed(parse_args(self, *given))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArgumentParser, 'parse_args', stop)
        with pytest.raises(_Parsed) as parsed:
            run_here(script, arguments, folder)
    return parsed.value.args[0]


def _prose(text):
    return re.sub(r'^(```+).*?^\1', '', text, flags=re.MULTILINE | re.DOTALL)


def links(text):
    """The targets of a page's links and pictures, outside of code."""
    return re.findall(r'\]\(([^)\s]+)\)', re.sub(_SPAN, 'code', _prose(text)))


def anchors(text):
    """Anchors of a page's headings, as repositories' web pages make them."""
    headings = re.findall(r'^#+ (.+)$', _prose(text), re.MULTILINE)
    return {
        re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        for heading in headings
    }
