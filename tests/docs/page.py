"""Pages as their readers follow them: what they contain, and running it."""
import ast
import contextlib
import io
import re
import runpy
import shlex
import shutil
import sys
from collections import OrderedDict
from pathlib import Path

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer

ROOT = Path(__file__).resolve().parents[2]
_COMMAND = re.compile(r'(bash|cp|git|mim|pip|python) \S')
_SPAN = re.compile(r'(?<!`)`([^`\n]+)`(?!`)')


def page_text(name):
    """The text of a page, named from the repository's first folder."""
    return (ROOT / name).read_text(encoding='utf-8')


def pieces(text):
    """Yield (language, text) of blocks and of code within sentences.

    Args:
        text: a page in Markdown.

    Yields:
        In order; the language is that of a fence, ``'indented'`` for an
        indented block and ``'sentence'`` for code in a sentence.
    """
    lines = iter([*text.splitlines(), ''])
    indented, after_blank = [], True
    for line in lines:
        if line.startswith('    ') and (after_blank or indented):
            indented.append(line[4:])
            continue
        if indented and not line.strip():
            indented.append('')
            continue
        if indented:
            yield 'indented', '\n'.join(indented).strip('\n')
            indented = []
        fence = re.match(r'(`{3,})(\S*)', line)
        if fence:
            end, language = fence.groups()
            block = iter(lambda: next(lines), end)
            yield language or 'text', '\n'.join(block)
        for span in _SPAN.findall(line):
            yield 'sentence', span
        after_blank = not line.strip()
    if indented:
        yield 'indented', '\n'.join(indented).strip('\n')


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


def _subclasses(kind):
    """All classes below one."""
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def follow(command, folder, *more):
    """Run a command of a page in this process, where torch is loaded.

    Args:
        command: ``cp FROM TO`` or ``python tools/NAME.py ...``.
        folder: in which the reader is.
        more: arguments appended to the page's.

    Returns:
        What was printed; for ``cp``, the copy.
    """
    program, *arguments = [*shlex.split(command), *map(str, more)]
    if program == 'cp':
        return shutil.copy(folder / arguments[0], folder / arguments[1])
    assert program == 'python', f'cannot follow {command!r}'
    tool = ROOT / arguments[0]
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, \
            contextlib.redirect_stdout(printed):
        patch.chdir(folder)
        patch.syspath_prepend(str(tool.parent))
        patch.setattr(sys, 'argv', arguments)
        # A process of its own would have none of these yet.
        for shared in (MMLogger, MessageHub, *_subclasses(Visualizer)):
            patch.setattr(shared, '_instance_dict', OrderedDict())
        try:
            runpy.run_path(str(tool), run_name='__main__')
        except SystemExit as stopped:
            if stopped.code not in (None, 0):
                pytest.fail(f'{command}: {stopped.code}')
    return printed.getvalue()


def run_python(example, **names):
    """Run a page's Python with ``names`` known; the names it leaves."""
    exec(compile(example, 'example of a page', 'exec'), names)
    return names


def links(text):
    """The targets of a page's links and pictures, outside of code."""
    prose = _SPAN.sub('code', re.sub(r'^(```+).*?^\1', '', text,
                                     flags=re.MULTILINE | re.DOTALL))
    return re.findall(r'\]\(([^)\s]+)\)', prose)


def anchors(text):
    """The anchors of a page's headings, as repositories' web pages make them.
    """
    prose = re.sub(r'^(```+).*?^\1', '', text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r'^#+ (.+)$', prose, re.MULTILINE)
    return {
        re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        for heading in headings
    }
