"""Plot the scores of several training runs."""
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from training_tables import score_digits

from hourglass_plugin.report.curves import COLORS, STROKES


def as_image(figure: Figure) -> np.ndarray:
    """Return a figure's pixels, (H, W, 3) uint8, BGR."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1])


def draw_trainings(groups: Mapping[str, Sequence[Mapping[int, float]]],
                   score_name: str) -> np.ndarray:
    """Plot the last scores of every seed, and the scores against the epoch.

    On the left a row for each group: a ring for each seed, a stroke and a
    number for their mean. On the right the mean against the epoch, within the
    range of the seeds.

    Args:
        groups: name -> for each seed epoch -> score, from top to bottom.
        score_name: label of the scores.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        ValueError: if there is no group, or a group or seed without scores.
    """
    if not groups or not all(seeds and all(seeds)
                             for seeds in groups.values()):
        raise ValueError('each group must have scores of at least one seed')
    figure = Figure(
        figsize=(10, max(3.8, 1.5 + 0.36 * len(groups))),
        dpi=150,
        layout='constrained')
    rows, curves = figure.subplots(1, 2)
    styles = zip(cycle(COLORS), cycle(STROKES))
    digits = score_digits(score for seeds in groups.values()
                          for seed in seeds for score in seed.values())
    for row, ((name, seeds), (color, stroke)) in enumerate(
            zip(groups.items(), styles)):
        last = [scores[max(scores)] for scores in seeds]
        mean = sum(last) / len(last)
        rows.plot(
            last, [row] * len(last),
            'o',
            color=color,
            markerfacecolor='none',
            markersize=7,
            markeredgewidth=1.5)
        rows.plot([mean, mean], [row - 0.28, row + 0.28],
                  color=color,
                  linewidth=3,
                  solid_capstyle='butt')
        rows.annotate(
            f'{mean:.{digits}f}', (max(last), row),
            (9, 0),
            textcoords='offset points',
            verticalalignment='center')
        epochs, low, middle, high = _course(seeds)
        curves.fill_between(
            epochs, low, high, color=color, alpha=0.15, linewidth=0)
        curves.plot(
            epochs,
            middle,
            stroke,
            color=color,
            linewidth=2,
            marker='o',
            markersize=4,
            label=name)
    rows.set(
        title='last validation: seeds (rings) and their mean',
        xlabel=score_name,
        yticks=range(len(groups)),
        yticklabels=list(groups),
        ylim=(len(groups) - 0.5, -0.5))
    rows.tick_params(axis='y', length=0)
    rows.margins(x=0.12)
    curves.set(
        title='every validation: mean and range of the seeds',
        xlabel='epoch',
        ylabel=score_name)
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend = curves.legend(loc='best', framealpha=0.9, fontsize='small')
    for axes in (rows, curves):
        axes.grid(color='0.88', axis='x' if axes is rows else 'both')
        axes.set_axisbelow(True)
        axes.spines[['top', 'right']].set_visible(False)
    for text in (rows.xaxis.label, curves.yaxis.label,
                 *rows.get_yticklabels(), *legend.get_texts()):
        text.set_parse_math(False)  # a folder's name may have dollar signs
    return as_image(figure)


def _course(
    seeds: Sequence[Mapping[int, float]]
) -> tuple[list[int], np.ndarray, np.ndarray, np.ndarray]:
    """Return the epochs of all seeds, lowest, mean and highest score."""
    epochs = sorted(set.intersection(*map(set, seeds)))
    scores = np.array([[seed[epoch] for epoch in epochs] for seed in seeds])
    return epochs, scores.min(axis=0), scores.mean(axis=0), scores.max(axis=0)
