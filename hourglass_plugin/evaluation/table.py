"""Tables of scores: as text, and by the names under which they are logged."""
from collections.abc import Sequence
from math import nan

#: The percentages of one row, by column.
Row = dict[str, float]

#: Columns whose names are too long to be printed.
_SHORT_NAMES = {'all_joints': 'All', 'ankle_knee_elbow_wrist': 'AKEW'}


def short_name(column: str) -> str:
    """A column's name as it is printed."""
    return _SHORT_NAMES.get(column, column)


def format_table(rows: dict[str, Row]) -> str:
    """Right-aligned columns under their names, two decimals.

    Args:
        rows: name -> column -> percent; the columns are those of the first
            row. What is missing or not a number is printed as a dash.

    Returns:
        The lines, without one at the end.
    """
    columns = list(next(iter(rows.values())))
    names = [short_name(column) for column in columns]
    widths = [max(len(name), 6) + 2 for name in names]
    label_width = max(map(len, rows))
    lines = [
        ' ' * label_width + ''.join(f'{name:>{width}}'
                                    for name, width in zip(names, widths))
    ]
    for label, row in rows.items():
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


def logged_scores(rows: dict[str, Row]) -> dict[str, float]:
    """``<row>`` for the mean, and ``<row>/<column>`` for the other columns.

    Columns that are not a number, of joints that nobody has, are left out.
    """
    scores = {}
    for label, row in rows.items():
        scores[label] = row['Mean']
        scores.update({
            f'{label}/{column}': score
            for column, score in row.items() if column != 'Mean' and score >= 0
        })
    return scores


def rows_of_logged(scores: dict[str, float]) -> dict[str, Row]:
    """The rows of :func:`logged_scores`, with their means at the end."""
    parents = {name.rpartition('/')[0] for name in scores}
    columns = [
        name for name in scores
        if name not in parents and name.rpartition('/')[0] in scores
    ]
    rows: dict[str, Row] = {name: {} for name in scores if name not in columns}
    for name in columns:
        label, _, column = name.rpartition('/')
        rows[label][column] = scores[name]
    for label, row in rows.items():
        row['Mean'] = scores[label]
    return rows
