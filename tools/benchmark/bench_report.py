"""Rows of a benchmark, as a Markdown table and as JSON."""
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from bench_timing import summarize

from hourglass_plugin.evaluation.table import markdown_table


def _digits(number: float) -> str:
    """Three digits, or all before the point."""
    if abs(number) >= 100:
        return f'{number:.0f}'
    return f'{number:#.3g}'


#: Figure of a row -> its heading and format. A table has the columns for which
#: a row has figures.
COLUMNS: dict[str, tuple] = {
    'name': ('', str),
    'images_per_second': ('images/s', _digits),
    'median': ('ms, median', lambda x: _digits(1e3 * x)),
    'quartiles': ('ms, quartiles',
                  lambda x: f'{_digits(1e3 * x[0])} to {_digits(1e3 * x[1])}'),
    'microseconds_per_person': ('us a person', _digits),
    'ratio': ('speed, ratio', lambda x: f'{x:.2f}'),
    'time_ratio': ('time, ratio', lambda x: f'{x:.2f}'),
    'peak_memory': ('memory, MB', lambda x: f'{x / 1e6:.0f}'),
    'memory_ratio': ('memory, ratio', lambda x: f'{x:.2f}'),
    'parameters': ('parameters, M', lambda x: _digits(x / 1e6)),
    'multiply_adds': ('MACs, G', lambda x: _digits(x / 1e9)),
    'difference': ('largest difference', lambda x: f'{x:.1e}'),
    'pck': ('PCK', lambda x: f'{x:.2f}'),
    'ours': ('ours, ms', lambda x: _digits(1e3 * x)),
    'stock': ('MMPose, ms', lambda x: _digits(1e3 * x)),
}


class Table(NamedTuple):
    """Rows under a title; a row holds figures by the names of COLUMNS."""

    title: str
    rows: list[dict[str, Any]]


def timed_rows(timings: Mapping[str, Sequence[float]],
               reference: str,
               images: int = 1,
               details: Mapping[str, Mapping[str, Any]] = {}
               ) -> list[dict[str, Any]]:
    """One row for each candidate, with all of its rounds.

    Args:
        timings: name -> seconds per call, round by round.
        reference: name of the one whose speed is 1.
        images: how many go through in a call.
        details: name -> further figures, or others in place of these.

    Returns:
        Rows with ``seconds`` (the rounds), ``median`` and ``quartiles`` in
        seconds, ``images_per_second`` and ``ratio``, of the medians: 2 is
        twice as fast as the reference.
    """
    base = summarize(timings[reference]).median
    rows = []
    for name, seconds in timings.items():
        timing = summarize(seconds)
        row = dict(
            name=name,
            seconds=list(seconds),
            median=timing.median,
            quartiles=[timing.low, timing.high],
            images_per_second=images / timing.median,
            ratio=base / timing.median)
        rows.append({**row, **details.get(name, {})})
    return rows


def markdown(tables: Sequence[Table], notes: Sequence[str],
             machine: Mapping[str, Any]) -> str:
    """Write all tables and the machine as Markdown."""
    texts = [f'**{table.title}**\n\n{_lines(table.rows)}' for table in tables]
    texts += notes
    texts.append(f'{machine["device_name"]}, {machine["threads"]} threads of '
                 f'{machine["cores"]} cores, torch {machine["torch"]}, mmpose '
                 f'{machine["mmpose"]}, numpy {machine["numpy"]}, opencv '
                 f'{machine["opencv"]}, python {machine["python"]}')
    return '\n\n'.join(texts) + '\n'


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table, a dash where a figure is missing."""
    keys = [
        key for key in COLUMNS
        if any(row.get(key) is not None for row in rows)
    ]
    cells = [[COLUMNS[key][0] for key in keys]]
    for row in rows:
        cells.append([
            '-' if row.get(key) is None else COLUMNS[key][1](row[key])
            for key in keys
        ])
    return markdown_table(cells)


def record(subject: str, settings: Mapping[str, Any],
           machine: Mapping[str, Any], tables: Sequence[Table],
           notes: Sequence[str]) -> dict[str, Any]:
    """Everything that was measured, for JSON; seconds and bytes."""
    return dict(
        subject=subject,
        command=shlex.join(sys.argv),
        date=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        settings=dict(settings),
        machine=dict(machine),
        tables=[table._asdict() for table in tables],
        notes=list(notes))
