"""Render a report as one HTML page without other files."""
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import jinja2
import numpy as np

from ..evaluation.table import pair_name, short_name
from .analysis import Confusions
from .content import Numbers, Report
from .curves import pck_curves_svg

#: Thin lines on small images need full colour resolution.
_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, cv2.IMWRITE_JPEG_OPTIMIZE, 1
]
#: Characters that HTML does not allow, as file names may have.
_CONTROL = re.compile('[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def write_page(report: Report) -> str:
    """Return the page, to be saved in UTF-8."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined)
    environment.filters.update(
        jpeg=_jpeg, percent=_number, pixels=_number,
        distance=lambda number: _number(number, 2))
    template = environment.from_string(
        Path(__file__).with_name('page.html.jinja').read_text('utf-8'))
    numbers = report.numbers
    scores = numbers.scores
    rows = {name: scores.printed(row) for name, row in scores.rows.items()}
    config = report.facts.get('Config')
    dataset = scores.columns.dataset
    page = template.render(
        report=report,
        scores=scores,
        title=f'{Path(config).stem} on {dataset}' if config else dataset,
        benchmark=str(scores.benchmark),
        threshold=f'{scores.thresholds[-1]:g}',
        header=['', *map(short_name, rows[scores.benchmark])],
        overall={str(name): row
                 for name, row in rows.items() if name.is_overall},
        by_stack={f'stack {name.stack}': row
                  for name, row in rows.items() if name.stack is not None},
        by_part={name.metric.partition('/')[2]: row
                 for name, row in rows.items() if '/' in name.metric},
        # The page describes stacks and visibility beside their tables.
        notes=[
            line for line in scores.explanations()
            if not line.startswith(('stack_n', 'visible,'))
        ],
        charts=list(_charts(numbers)),
        has_stacks=any(len(person.stacks) > 1 for person in report.heatmaps),
        confusions=numbers.confusions,
        pairs=_pairs(numbers.confusions, report.joints))
    return _CONTROL.sub('\ufffd', page)


def _jpeg(image: np.ndarray) -> str:
    """Return an image (H, W, 3) uint8, BGR, as the text of a data URI."""
    _, data = cv2.imencode('.jpg', image, _JPEG)
    return f'data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}'


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
        svg = pck_curves_svg(curves, thresholds, f'Correct joints {by}',
                             f'threshold in {units}', '% correct')
        last = ', '.join(f'{name} {curve[-1]:.1f}'
                         for name, curve in curves.items())
        yield dict(
            uri=f'data:image/svg+xml;base64,{b64encode(svg).decode()}',
            alt=f'Curves of the share of correct joints {by}. '
            f'At {thresholds[-1]:g} {units}: {last} percent.')


def _pairs(confusions: Confusions, names: Sequence[str]
           ) -> list[tuple[str, int, float, float]]:
    """Return name, number of joints, and percent nearer and found."""
    counts = [
        (pair_name(*(names[joint] for joint in pair.pair)).replace('_', ' '),
         pair.joints, pair.nearer, pair.found) for pair in confusions.pairs
    ]
    if counts:
        _, joints, nearer, found = zip(*counts)
        counts.append(('all pairs', sum(joints), sum(nearer), sum(found)))
    return [(name, joints, 100 * nearer / joints, 100 * found / joints)
            if joints else (name, 0, float('nan'), float('nan'))
            for name, joints, nearer, found in counts]
