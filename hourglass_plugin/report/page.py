"""Render a report as one HTML page without other files."""
import csv
import io
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np

from ..evaluation.table import pair_name, short_name
from .advice import advice
from .content import Numbers
from .curves import plot_pck_curves

#: Thin lines on small images need full colour resolution.
_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
#: Characters that HTML does not allow, as file names may have.
_CONTROL = re.compile('[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def write_page(facts: dict[str, str], joints: Sequence[str], numbers: Numbers,
               people: dict[str, list[dict[str, Any]]],
               heatmaps: list[dict[str, Any]]) -> str:
    """Return the page, to be saved in UTF-8.

    Images are (H, W, 3) uint8, BGR; distances are in sizes of the person.

    Args:
        facts: what was tested, name -> value.
        joints: names of the K joints.
        numbers: of the people.
        people: ``best``, ``median`` and ``worst`` -> people with ``index``
            (position in the dataset), ``image`` (name), ``path``, ``error``
            (mean distance), ``correct`` and ``joints`` (numbers of annotated
            joints), ``worst_joint`` (the furthest of them),
            ``worst_distance`` and ``picture``.
        heatmaps: people with ``why`` (the reason to show the person),
            ``index``, ``image``, ``errors`` (mean distance after each scored
            stack), ``crop`` (an image) and ``stacks`` (an image for each).
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined)
    environment.filters.update(
        jpeg=_jpeg, percent=_number, pixels=_number,
        distance=lambda number: _number(number, 2))
    template = environment.from_string(
        Path(__file__).with_name('page.html.jinja').read_text('utf-8'))
    scores = numbers.scores
    rows = {name: scores.printed(row) for name, row in scores.rows.items()}
    overall = {str(name): row
               for name, row in rows.items() if name.is_overall}
    by_stack = {f'stack {name.stack}': row
                for name, row in rows.items() if name.stack is not None}
    by_part = {name.metric.partition('/')[2]: row
               for name, row in rows.items() if '/' in name.metric}
    pairs = _pairs(numbers, joints)
    config = facts.get('Config')
    dataset = scores.columns.dataset
    page = template.render(
        facts=facts, people=people, heatmaps=heatmaps, numbers=numbers,
        scores=scores,
        title=f'{Path(config).stem} on {dataset}' if config else dataset,
        benchmark=str(scores.benchmark),
        threshold=f'{scores.thresholds[-1]:g}',
        header=['', *map(short_name, rows[scores.benchmark])],
        overall=overall, by_stack=by_stack, by_part=by_part,
        advice=advice(
            rows[scores.benchmark],
            [name for name in numbers.joint_curves if name != 'Mean'],
            by_stack, by_part, numbers.sizes,
            pairs[-1][-1] if pairs else np.nan),
        downloads={
            'scores.csv': _csv([
                ['score', *map(short_name, rows[scores.benchmark])],
                *([str(name), *row.values()] for name, row in rows.items())]),
            'people.csv': _csv([
                ['position in the dataset', 'mean error in '
                 f'{scores.normalizer.units}'],
                *zip(numbers.positions.tolist(), numbers.errors.tolist())])},
        # The page describes stacks and visibility beside their tables.
        notes=[
            line for line in scores.explanations()
            if not line.startswith(('stack_n', 'visible,'))],
        charts=list(_charts(numbers)),
        has_stacks=any(len(person['stacks']) > 1 for person in heatmaps),
        pairs=pairs)
    return _CONTROL.sub('\ufffd', page)


def _jpeg(image: np.ndarray) -> str:
    """Return an image (H, W, 3) uint8, BGR, as the text of a data URI."""
    _, data = cv2.imencode('.jpg', image, _JPEG)
    return f'data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}'


def _csv(rows: Iterable[Iterable]) -> str:
    """Return a table as the text of a data URI."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    data = b64encode(text.getvalue().encode()).decode()
    return f'data:text/csv;base64,{data}'


def _number(number: float, digits: int = 1) -> str:
    if np.isnan(number):
        return '–'
    return f'{number:.{digits}f}' if np.isfinite(number) else 'not finite'


def _charts(numbers: Numbers) -> Iterator[dict[str, str]]:
    """Yield data URI and description of the PCK curves."""
    if 'Mean' not in numbers.joint_curves:  # no person could be scored
        return
    thresholds = numbers.thresholds.tolist()
    units = numbers.scores.normalizer.units
    for by, curves in (('by joint', numbers.joint_curves),
                       ('by stack', numbers.stack_curves)):
        if not curves:
            continue
        file = io.BytesIO()
        plot_pck_curves(curves, thresholds, f'Correct joints {by}',
                        f'threshold in {units}', '% correct',
                        (6, 4.4)).savefig(file, format='svg')
        last = ', '.join(f'{name} {curve[-1]:.1f}'
                         for name, curve in curves.items())
        yield dict(
            uri=f'data:image/svg+xml;base64,{b64encode(file.getvalue()).decode()}',
            alt=f'Curves of the share of correct joints {by}. '
            f'At {thresholds[-1]:g} {units}: {last} percent.')


def _pairs(numbers: Numbers,
           names: Sequence[str]) -> list[tuple[str, int, float, float]]:
    """Return name, number of joints, and percent nearer and found."""
    counts = {
        pair_name(names[left], names[right]).replace('_', ' '): count
        for (left, right), count in numbers.confusions.pairs.items()}
    if counts:
        counts['all pairs'] = tuple(map(sum, zip(*counts.values())))
    return [(name, joints, 100 * nearer / joints, 100 * found / joints)
            if joints else (name, 0, float('nan'), float('nan'))
            for name, (joints, nearer, found) in counts.items()]
