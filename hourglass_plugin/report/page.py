"""A report as one page of HTML that needs no other file."""
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from curves import pck_curves_svg

from ..evaluation.table import Row, pair_name, short_name
from .content import Numbers, Person, PersonHeatmaps, Report
from .elements import (
    Content,
    Element,
    bar_cell,
    chart,
    document,
    element,
    picture,
    table,
)
from .style import STYLE

_KINDS = dict(
    best='The smallest mean error of all people.',
    median='Half of the people are predicted better than these.',
    worst='The largest mean error: hard poses, people whose size is small to '
    'measure in, and wrong labels. If the right picture looks wrong, the '
    'annotation is.')


def write_page(report: Report) -> str:
    """The page of a report, complete."""
    sections = [
        ('scores', 'Score', _scores(report.numbers)),
        ('curves', 'Curves', _curves(report.numbers)),
        ('people', 'Best, median and worst people', _people(report)),
        ('heatmaps', 'Heatmaps', _heatmaps(report)),
        ('sizes', 'Error by person size', _sizes(report.numbers)),
        ('visible', 'Visible and occluded joints', _visible(report.numbers)),
        ('sides', 'Left and right', _sides(report)),
    ]
    title = _title(report)
    return document(
        title, STYLE,
        element(
            'header', element('h1', title), _headline(report.numbers),
            element('nav', *(element('a', heading, href=f'#{name}')
                             for name, heading, _ in sections),
                    aria_label='On this page')),
        element(
            'main', _facts(report), *(element(
                'section',
                element('h2', heading),
                *content,
                id=name) for name, heading, content in sections)),
        element(
            'footer', 'Pixels count from 0, people by their position in the '
            'data set from 0. Written by hourglass_plugin’s tools/test.py '
            '--report.'))


def _title(report: Report) -> str:
    data_set = report.numbers.scores.columns.dataset
    config = report.facts.get('Config')
    return f'{Path(config).stem} on {data_set}' if config else data_set


def _paragraph(*content: Content) -> Element:
    return element('p', *content)


def _percent(share: float) -> str:
    return '–' if np.isnan(share) else f'{share:.1f}'


def _headline(numbers: Numbers) -> Element:
    """The benchmark's figure, and what it is of."""
    scores = numbers.scores
    cards = [(_percent(row['Mean']), str(name))
             for name, row in scores.rows.items() if name.is_overall]
    cards += [(f'{scores.num_people:,}', 'people scored'),
              (f'{scores.num_joints:,}', 'annotated joints')]
    return element(
        'div', *(element(
            'div',
            element('b', figure),
            element('span', name),
            class_='other' if index else 'first')
                 for index, (figure, name) in enumerate(cards)),
        class_='headline')


def _facts(report: Report) -> Element:
    """What was tested."""
    content = element('dl')
    for name, value in report.facts.items():
        content.append(element('dt', name))
        content.append(element('dd', value))
    return element('section', element('h2', 'What was tested'), content)


def _score_rows(rows: dict[Any, Row],
                names: Iterable[Any]) -> list[list[Content]]:
    return [[str(name), *map(bar_cell, rows[name].values())] for name in names]


def _scores(numbers: Numbers) -> list[Content]:
    """The table by joint, and by stack."""
    scores = numbers.scores
    rows = {name: scores.printed(row) for name, row in scores.rows.items()}
    header = ['', *map(short_name, rows[scores.benchmark])]
    by_threshold = [name for name in rows if name.is_overall]
    by_stack = {
        f'stack {name.stack}': row
        for name, row in rows.items() if name.stack is not None
    }
    threshold = scores.thresholds[-1]
    content: list[Content] = [
        _paragraph(
            f'{scores.benchmark} is the share of annotated joints, in '
            'percent, whose prediction is at most '
            f'{threshold:g} times {scores.normalizer.unit} away from the truth.',
            ' A larger number is better; other rows allow more or less.'),
        table('Correct joints by joint, in percent', header,
              _score_rows(rows, by_threshold)),
    ]
    if by_stack:
        content += [
            _paragraph(
                'Each stack of the network predicts all joints anew, from '
                'what the one before it saw and predicted; as a rule the last '
                'one’s prediction counts.'),
            table(f'{scores.benchmark} by stack, in percent', header,
                  _score_rows(by_stack, by_stack))
        ]
    notes = [line for line in scores.explanations()
             if not line.startswith(('stack_n', 'visible,'))]
    if scores.num_left_out:
        total = scores.num_people + scores.num_left_out
        content.append(
            _paragraph(
                f'{scores.num_left_out:,} of {total:,} people have no size to '
                'measure errors in, and are left out here and below.'))
    if scores.num_not_finite:
        notes.append(f'{scores.num_not_finite:,} predictions that are not '
                     'finite count as wrong.')
    return [
        *content,
        element('details', element('summary', 'What rows and columns mean'),
                element('ul', *(element('li', note) for note in notes)))
    ]


def _curves(numbers: Numbers) -> list[Content]:
    """PCK against the threshold, by joint and by stack."""
    if 'Mean' not in numbers.joint_curves:
        return [_paragraph('Nobody could be scored, so there are none.')]
    measure = numbers.scores.normalizer
    thresholds = numbers.thresholds.tolist()

    def drawn(curves: dict[str, np.ndarray], what: str,
              prefix: str) -> Element:
        last = ', '.join(f'{name} {curve[-1]:.1f}'
                         for name, curve in curves.items())
        svg = pck_curves_svg(curves, thresholds, f'Correct joints {what}',
                             f'threshold in {measure.units}', '% correct')
        return element(
            'figure',
            chart(
                svg, f'Curves of the share of correct joints {what}. '
                f'At {thresholds[-1]:g} {measure.units}: {last} percent.',
                prefix))

    figures = [drawn(numbers.joint_curves, 'by joint', 'joint-')]
    if numbers.stack_curves:
        figures.append(drawn(numbers.stack_curves, 'by stack', 'stack-'))
    content: list[Content] = [
        _paragraph(
            'How many joints are correct (upwards) if so much error is '
            'allowed (to the right): a good model’s curve rises early. The '
            'legend has the figures at the right end.'),
        element('div', *figures, class_='charts')
    ]
    if not numbers.stack_curves:
        content.append(
            _paragraph(
                'One stack was scored; of a network with several, ',
                element('code',
                        '--cfg-options model.test_cfg.eval_all_stacks=True'),
                ' scores them all.'))
    return content


def _distance(distance: float) -> str:
    return f'{distance:.2f}' if np.isfinite(distance) else 'not finite'


def _people(report: Report) -> list[Content]:
    """Photographs with predictions beside the truth."""
    units = report.numbers.scores.normalizer.units
    content: list[Content] = [
        _paragraph(
            'Left: prediction. Right: truth, annotated joints only. ',
            element('span', 'Orange', class_='orange'),
            ' is the right side of the person, ',
            element('span', 'blue', class_='blue'), ' the left, ',
            element('span', 'green', class_='green'),
            ' the middle. People are ranked by the mean distance of their '
            f'annotated joints from the truth, in {units}; the number before '
            'a file’s name is the person’s position in the data set.')
    ]
    for kind, people in report.people.items():
        if people:
            content += [
                element('h3', kind.capitalize()),
                _paragraph(_KINDS[kind]),
                element('div', *(_person(kind, person, units)
                                 for person in people),
                        class_='people')
            ]
    return content


def _person(kind: str, person: Person, units: str) -> Element:
    return element(
        'figure',
        picture(
            person.picture, f'Person {person.number}, one of the {kind}: '
            'predicted skeleton, left, and annotated skeleton, right, over '
            'the photograph'),
        element(
            'figcaption',
            element(
                'b', f'{person.number} · {person.image}', title=person.path),
            element('br'), f'{_distance(person.error)} {units}, '
            f'{person.correct} of {person.joints} correct; furthest: '
            f'{person.worst_joint}, {_distance(person.worst_distance)}'))


def _heatmaps(report: Report) -> list[Content]:
    """The paper's figure: what each stack sees."""
    if not report.heatmaps:
        return [
            _paragraph('This model predicts joints without heatmaps, so there '
                       'are none to show.')
        ]
    units = report.numbers.scores.normalizer.units
    rows = 'Over what the network was shown are '
    if any(len(person.stacks) > 1 for person in report.heatmaps):
        rows = 'A row is a stack, over what the network was shown: '
    return [
        _paragraph(
            'A heatmap says how sure the network is that a joint is at each '
            'place; the joint is predicted where its heatmap is highest. '
            f'{rows}all joints together, a colour for each, then some alone. '
            'The brightest colour is the highest place of a joint’s heatmaps; '
            'a joint in two places is one that the network is in doubt about. '
            f'The numbers at the left are mean errors in {units}.'),
        *(part for person in report.heatmaps
          for part in _person_heatmaps(person))
    ]


def _person_heatmaps(person: PersonHeatmaps) -> list[Content]:
    names = ['heatmaps'] if len(person.stacks) == 1 else [
        f'stack {number + 1}' for number in range(len(person.stacks))
    ]
    errors = [_distance(error) for error in person.errors]
    if len(errors) != len(names):  # known of the scored stack only
        errors = [''] * (len(names) - 1) + errors
    rows: list[list[Content]] = []
    for name, error, (everything, alone) in zip(names, errors, person.stacks):
        pictures = [(everything, 'all joints'), *zip(alone, person.joints)]
        rows.append([
            element('span', name, element('br'), element('small', error)),
            *(element('td', picture(image, f'{name}, {what}'))
              for image, what in pictures)
        ])
    maps = table(f'Heatmaps of person {person.number}',
                 ['', 'all joints', *person.joints], rows)
    return [
        element('h3', f'{person.number} · {person.image}: {person.why}'),
        element(
            'div',
            element(
                'figure',
                picture(person.crop, f'Person {person.number}: predicted '
                        'skeleton over the crop'),
                element('figcaption', 'prediction')),
            maps,
            class_='heatmaps')
    ]


def _pixels(number: float) -> str:
    if np.isnan(number):
        return '–'
    return f'{number:.1f}' if np.isfinite(number) else 'not finite'


def _sizes(numbers: Numbers) -> list[Content]:
    """Whether small people are predicted worse."""
    scores = numbers.scores
    rows: list[list[Content]] = [[
        f'{group.smallest:.0f} to {group.largest:.0f} px',
        f'{group.people:,}', f'{group.joints:,}',
        bar_cell(group.score), *map(_pixels, group.quartiles)
    ] for group in numbers.sizes]
    return [
        _paragraph(
            f'The size is {scores.normalizer.unit}, in pixels of the photograph; '
            'people are divided into groups of about as many. A small size '
            f'makes {scores.benchmark} strict, since errors are measured in '
            'sizes, so pixels are beside it.'),
        table('Errors by size of the person, joints that count in the mean', [
            'size', 'people', 'joints',
            str(scores.benchmark), '25 % within, px',
            'half within, px', '75 % within, px'
        ], rows)
    ]


def _visible(numbers: Numbers) -> list[Content]:
    """Joints that can be seen beside those that cannot."""
    scores = numbers.scores
    if numbers.seen is None:
        return [
            _paragraph(
                f'The annotations of {scores.columns.dataset} that were '
                'tested with do not say which joints are occluded, so there '
                'is nothing to compare.')
        ]
    visible, occluded = numbers.seen
    rows = {
        name.metric.partition('/')[2]: scores.printed(row)
        for name, row in scores.rows.items() if '/' in name.metric
    }
    return [
        _paragraph(
            f'Of the annotated joints {visible:,} can be seen and '
            f'{occluded:,} are hidden by something, whose place the '
            'annotators guessed. The network has to guess them, too.'),
        table(f'{scores.benchmark} of visible and of occluded joints, in '
              'percent',
              ['', *map(short_name, scores.printed(
                  scores.rows[scores.benchmark]))], _score_rows(rows, rows))
        if rows else None
    ]


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else float('nan')


def _sides(report: Report) -> list[Content]:
    """Left joints that are taken for right ones."""
    numbers, names = report.numbers, report.joints
    pairs, people, mirrored = numbers.confusions
    if not pairs:
        return [
            _paragraph('No joint of this data set has a left and a right '
                       'one.')
        ]
    scores = numbers.scores
    threshold = f'{scores.thresholds[-1]:g}'
    rows: list[list[Content]] = [[
        pair_name(names[pair.pair[0]], names[pair.pair[1]]).replace('_', ' '),
        f'{pair.joints:,}',
        bar_cell(_share(pair.nearer, pair.joints)),
        bar_cell(_share(pair.found, pair.joints))
    ] for pair in pairs]
    total = [sum(getattr(pair, name) for pair in pairs)
             for name in ('joints', 'nearer', 'found')]
    rows.append([
        'all pairs', f'{total[0]:,}',
        bar_cell(_share(total[1], total[0])),
        bar_cell(_share(total[2], total[0]))
    ])
    return [
        _paragraph(
            'Where a left and its right joint are both annotated, each of the '
            'two predictions is looked at: it is confused if it is nearer to '
            'the other side’s truth than to its own. A joint that was not '
            'found at all is so half of the time by chance; “on the other '
            'joint” counts those confused ones that are correct for the '
            f'other side, at most {threshold} {scores.normalizer.units} from '
            'its truth.'),
        table('Joints taken for those of the other side, in percent', [
            'pair', 'joints', 'nearer to the other side',
            'on the other joint'
        ], rows),
        _paragraph(
            f'Of {people:,} people with such pairs {mirrored:,} '
            f'({_share(mirrored, people):.1f} %) have most of these joints '
            'confused: they were taken for facing the other way, or are '
            'labelled so.') if people else None
    ]
