"""Tables of scores: as text, and by the names under which they are logged."""
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan

from .metric_name import MetricName

#: The percentages of one row, by column.
Row = dict[str, float]

#: Columns whose names are too long to be printed.
_SHORT_NAMES = {'all_joints': 'All', 'ankle_knee_elbow_wrist': 'AKEW'}


def short_name(column: str) -> str:
    """A column's name as it is printed."""
    return _SHORT_NAMES.get(column, column)


def format_table(rows: Mapping[MetricName | str, Row]) -> str:
    """Right-aligned columns under their names, two decimals.

    Args:
        rows: name -> column -> percent; the columns are those of the first
            row. What is missing or not a number is printed as a dash.

    Returns:
        The lines, without one at the end.
    """
    labels = [str(name) for name in rows]
    columns = list(next(iter(rows.values())))
    names = [short_name(column) for column in columns]
    widths = [max(len(name), 6) + 2 for name in names]
    label_width = max(map(len, labels))
    lines = [
        ' ' * label_width + ''.join(f'{name:>{width}}'
                                    for name, width in zip(names, widths))
    ]
    for label, row in zip(labels, rows.values()):
        cells = [
            f'{row[column]:.2f}' if row.get(column, nan) >= 0 else '-'
            for column in columns
        ]
        lines.append(f'{label:{label_width}}' +
                     ''.join(f'{cell:>{width}}'
                             for cell, width in zip(cells, widths)))
    return '\n'.join(lines)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Cells as a table in Markdown.

    Args:
        rows: the first is the header.

    Returns:
        The lines, without one at the end.
    """
    header, *others = rows
    return '\n'.join(f'| {" | ".join(cells)} |' for cells in (
        header, ['---'] * len(header), *others))


def logged_scores(rows: Mapping[MetricName, Row]) -> dict[str, float]:
    """Return a table's scores by the names under which they are logged.

    NaN columns, of joints without annotation, are left out.
    """
    scores = {}
    for name, row in rows.items():
        scores[str(name)] = row['Mean']
        scores.update({
            str(replace(name, joint=column)): score
            for column, score in row.items() if column != 'Mean' and score >= 0
        })
    return scores


def rows_of_logged(scores: Mapping[str, float]) -> dict[MetricName, Row]:
    """Invert :func:`logged_scores`; the means come last.

    Args:
        scores: by name, each with a dataset. Scores of other metrics, such as
            ``coco/AP``, are rows of a mean only.
    """
    parsed = {MetricName.parse(name): score for name, score in scores.items()}
    rows: dict[MetricName, Row] = {
        name: {}
        for name in parsed if name.joint is None or name.mean not in parsed
    }
    for name, score in parsed.items():
        if name not in rows:
            rows[name.mean][str(name.joint)] = score
    for name, row in rows.items():
        row['Mean'] = parsed[name]
    return rows
