"""A Sphinx extension that writes the command line reference from the parsers.

The line ``<!-- commands -->`` of ``cli.md`` becomes a section for each
sub-command of ``hourglass`` and each other script in ``tools/``: description,
usage and a table of the arguments.
"""
import argparse
import os
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from sphinx.application import Sphinx

from hourglass_plugin.cli import main

ROOT = Path(__file__).resolve().parents[2]
MARK = '<!-- commands -->'
_SHEBANG = '#!/usr/bin/env python\n'
_HIDDEN = (argparse._HelpAction, argparse._SubParsersAction)


class _Found(BaseException):
    """Ends a script that has built its parser."""


def script_parser(path: Path) -> argparse.ArgumentParser:
    """Return the parser of a script, which is run until it parses."""

    def stop(parser: argparse.ArgumentParser, *arguments: object) -> None:
        raise _Found(parser)

    with mock.patch.object(argparse.ArgumentParser, 'parse_args', stop), \
            mock.patch.object(sys, 'argv', [path.name]), \
            mock.patch.object(sys, 'path', [str(path.parent), *sys.path]):
        try:
            runpy.run_path(str(path), run_name='__main__')
        except _Found as found:
            return found.args[0]
    raise ValueError(f'{path} parses no arguments')


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each command as it is typed, and its parser."""
    for name in main.COMMANDS:
        module = main.load_command(name)
        parser = argparse.ArgumentParser(description=module.__doc__)
        module.add_arguments(
            parser, **(dict(suffix='.onnx') if name == 'export' else {}))
        yield f'hourglass {name}', parser
    same = {'train.py', 'test.py', 'predict.py', 'export_torch.py',
            *(Path(path).name for path in main._TOOLS.values())}
    for path in sorted((ROOT / 'tools').rglob('*.py')):
        if path.name not in same and path.read_text(
                'utf-8').startswith(_SHEBANG):
            name = path.relative_to(ROOT).as_posix()
            yield f'python {name}', script_parser(path)


def section(command: str, parser: argparse.ArgumentParser,
            level: int = 2) -> Iterator[str]:
    """Yield the Markdown lines of one command."""
    parser.prog = command
    yield f'{"#" * level} `{command}`'
    yield ''
    for paragraph in (parser.description or '').strip().split('\n\n'):
        if '\n ' in paragraph:  # a list that is aligned by spaces
            yield from ('```text', paragraph, '```', '')
        else:  # plain text, in which * and < are themselves
            yield from (re.sub(r'([*<_])', r'\\\1', paragraph), '')
    with mock.patch.dict(os.environ, COLUMNS='80'):
        usage = parser._get_formatter()
        usage.add_usage(parser.usage, parser._actions,
                        parser._mutually_exclusive_groups, prefix='')
        yield from ('```text', usage.format_help().rstrip(), '```', '')
    shown = [action for action in parser._actions
             if not isinstance(action, _HIDDEN)
             and action.help is not argparse.SUPPRESS]
    if shown:
        yield '| argument | |'
        yield '|---|---|'
    for action in shown:
        names = ', '.join(f'`{name}`' for name in action.option_strings)
        name = names or f'`{action.metavar or action.dest}`'
        yield f'| {name} | {_help(action, parser)} |'
    yield ''
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from section(f'{command} {name}', child, level + 1)


def _help(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """Return the help of an argument, with its choices, for a table's cell."""
    text = parser._get_formatter()._expand_help(action) if action.help else ''
    text = re.sub(r'([|*<_])', r'\\\1', ' '.join(text.split()))
    if action.choices is not None and not isinstance(
            action, argparse._SubParsersAction):
        choices = ', '.join(f'`{choice}`' for choice in action.choices)
        text = f'{text} ({choices})' if text else choices
    return text


def write_reference(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the sections into the page."""
    if docname == 'cli':
        lines = [line for command, parser in parsers()
                 for line in section(command, parser)]
        source[0] = source[0].replace(MARK, '\n'.join(lines))


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect('source-read', write_reference)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
