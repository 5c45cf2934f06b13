"""Tables of several training runs in Markdown."""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from training_runs import Training, last_scores, spread

from hourglass_plugin.evaluation.metric_name import MetricName
from hourglass_plugin.evaluation.table import markdown_table


def comparison_tables(groups: Mapping[str, Sequence[Training]],
                      metrics: Sequence[str],
                      sizes: Mapping[str, Mapping[str, int]]) -> str:
    """Format the groups as tables in Markdown.

    Args:
        groups: name -> runs, in the order of the rows.
        metrics: names of scores; that of the first is given after each stack,
            where it was logged.
        sizes: name of the group -> ``parameters`` and ``multiply_adds`` of
            its network; missing groups get a dash.

    Returns:
        Tables with headings.
    """
    names = [MetricName.parse(metric) for metric in metrics]
    prefixes = {name.dataset for name in names}
    data_set = prefixes.pop() if len(prefixes) == 1 else ''
    titles = [
        str(replace(name, dataset='') if data_set else name) for name in names
    ]
    digits = score_digits(
        score for members in groups.values() for metric in metrics
        for score in last_scores(members, metric))
    rows = [['', 'seeds', 'epochs', *titles,
             'parameters', 'MACs', 'minutes']]
    for name, members in groups.items():
        size = sizes.get(name, {})
        rows.append([
            f'`{name}`',
            ', '.join('-' if member.seed is None else str(member.seed)
                      for member in members),
            str(max(members[0].scores)),
            *(_cell(last_scores(members, metric), digits)
              for metric in metrics),
            f'{size["parameters"] / 1e6:.2f} M' if size else '-',
            f'{size["multiply_adds"] / 1e9:.2f} G' if size else '-',
            _minutes(members),
        ])
    heading = f'{data_set}: scores' if data_set else 'Scores'
    texts = [
        f'**{heading} of the last validation, mean of the seeds (lowest to '
        'highest)**',
        markdown_table(rows)
    ]
    stacks = _stack_rows(groups, metrics[0], digits)
    if len(stacks) > 1:
        texts += [f'**{titles[0]} after each stack**', markdown_table(stacks)]
    texts.append('Minutes are those of the training iterations, without '
                 'validation, mean of the seeds.')
    return '\n\n'.join(texts)


def score_digits(scores: Iterable[float]) -> int:
    """Return the decimals: one for percent, three for scores up to 1."""
    return 1 if max(scores, default=0) > 1 else 3


def _stack_rows(groups: Mapping[str, Sequence[Training]], metric: str,
                digits: int) -> list[list[str]]:
    """Header, and a row for each group of several stacks."""
    first = MetricName.parse(metric)
    rows = []
    for name, members in groups.items():
        stacks: list[str] = []
        while scores := last_scores(
                members, str(replace(first, stack=len(stacks) + 1))):
            stacks.append(_cell(scores, digits))
        if len(stacks) > 1:
            rows.append([f'`{name}`', *stacks])
    count = max(map(len, rows), default=1) - 1
    header = ['', *(f'stack {index + 1}' for index in range(count))]
    return [header] + [row + ['-'] * (count + 1 - len(row)) for row in rows]


def _cell(scores: Sequence[float], digits: int) -> str:
    """``51.3 (50.9 to 51.8)``, one seed without the brackets."""
    if not scores:
        return '-'
    mean, low, high = (f'{value:.{digits}f}' for value in spread(scores))
    return mean if len(scores) == 1 else f'{mean} ({low} to {high})'


def _minutes(members: Sequence[Training]) -> str:
    minutes = spread([member.seconds for member in members]).mean / 60
    return f'{minutes:.0f}' if minutes >= 10 else f'{minutes:.1f}'
