"""Plots of PCK curves."""
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

#: Okabe and Ito's colours for colour-blind readers, without the yellow, which
#: is faint on white.
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#56b4e9',
          '#e69f00')
#: Tell curves apart without colours.
STROKES = ('-', '--', '-.', ':')


def plot_pck_curves(curves: Mapping[str, np.ndarray],
                    thresholds: Sequence[float],
                    title: str,
                    x_label: str,
                    y_label: str,
                    size: tuple[float, float] = (8, 5.5)) -> Figure:
    """Plot one line per method: percent correct against the threshold.

    Args:
        curves: name -> (T,) percent. The legend has the best one first.
        thresholds: (T,) from 0 on.
        title: line above the plot.
        x_label: name of the horizontal axis.
        y_label: name of the vertical axis.
        size: in inches.
    """
    figure = Figure(figsize=size, dpi=150, layout='constrained')
    axes = figure.add_subplot()
    styles = dict(zip(curves, zip(cycle(COLORS), cycle(STROKES))))
    last = {name: np.nan_to_num(curve[-1]) for name, curve in curves.items()}
    for name in sorted(curves, key=last.__getitem__, reverse=True):
        color, stroke = styles[name]
        axes.plot(
            thresholds, curves[name], stroke, color=color, linewidth=2,
            clip_on=False,  # the upper half of a line at 100
            label=f'{curves[name][-1]:6.2f}  {name}')
    axes.set(
        title=title, xlabel=x_label, ylabel=y_label,
        xlim=(0, thresholds[-1]), ylim=(0, 100), yticks=range(0, 101, 10))
    axes.grid(color='0.88')
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    legend = axes.legend(
        loc='best', framealpha=0.9, title=f'at {thresholds[-1]:g}')
    for text in (axes.title, *legend.get_texts()):
        text.set_parse_math(False)  # a file's name may have dollar signs
    return figure
