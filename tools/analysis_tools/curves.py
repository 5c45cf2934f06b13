"""PCK curves as a picture."""
import io
from collections.abc import Sequence
from itertools import cycle

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

#: Apart for colour-blind eyes and, by their strokes, without colours
#: (Okabe and Ito; yellow, which is faint on white, left out).
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#56b4e9',
          '#e69f00')
STROKES = ('-', '--', '-.', ':')


def as_image(figure: Figure) -> np.ndarray:
    """A figure's pixels, (H, W, 3) uint8, BGR."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1])


def draw_pck_curves(curves: dict[str, np.ndarray], thresholds: Sequence[float],
                    title: str, x_label: str, y_label: str) -> np.ndarray:
    """One line per method: how much is correct as the threshold grows.

    Args:
        curves: name -> (T,) percent. The legend lists the best at the last
            threshold first, with that score.
        thresholds: (T,) from 0 on.
        title: line above everything.
        x_label: name of the horizontal axis.
        y_label: name of the vertical axis.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        ValueError: if there is no curve, or lengths do not fit.
    """
    figure = _draw(curves, thresholds, title, x_label, y_label, (8, 5.5))
    return as_image(figure)


def pck_curves_svg(curves: dict[str, np.ndarray], thresholds: Sequence[float],
                   title: str, x_label: str, y_label: str) -> str:
    """:func:`draw_pck_curves` as lines that stay sharp.

    Returns:
        An SVG document; its text is text, in the reader's sans-serif font.
    """
    file = io.StringIO()
    with matplotlib.rc_context({
            'svg.fonttype': 'none',
            'svg.hashsalt': title,  # the same picture has the same names
            'font.family': 'sans-serif',
            'font.sans-serif': ['DejaVu Sans', 'Verdana', 'sans-serif']
    }):
        figure = _draw(curves, thresholds, title, x_label, y_label, (6, 4.4))
        figure.savefig(
            file,
            format='svg',
            metadata=dict.fromkeys(('Creator', 'Date', 'Format', 'Type')))
    return file.getvalue()


def _draw(curves: dict[str, np.ndarray], thresholds: Sequence[float],
          title: str, x_label: str, y_label: str,
          size: tuple[float, float]) -> Figure:
    """The curves as a figure of some size in inches."""
    if not curves:
        raise ValueError('there is no curve to draw')
    for name, curve in curves.items():
        if np.shape(curve) != np.shape(thresholds):
            raise ValueError(f'the curve {name!r} has shape {np.shape(curve)} '
                             f'for thresholds of {np.shape(thresholds)}')
    figure = Figure(figsize=size, dpi=150, layout='constrained')
    axes = figure.add_subplot()
    styles = dict(zip(curves, zip(cycle(COLORS), cycle(STROKES))))
    last = {name: np.nan_to_num(curve[-1]) for name, curve in curves.items()}
    for name in sorted(curves, key=last.__getitem__, reverse=True):
        color, stroke = styles[name]
        axes.plot(
            thresholds,
            curves[name],
            stroke,
            color=color,
            linewidth=2,
            clip_on=False,  # a curve at 100 keeps its upper half
            label=f'{curves[name][-1]:6.2f}  {name}')
    axes.set(
        title=title,
        xlabel=x_label,
        ylabel=y_label,
        xlim=(0, thresholds[-1]),
        ylim=(0, 100),
        yticks=range(0, 101, 10))
    axes.grid(color='0.88')
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    legend = axes.legend(
        loc='best', framealpha=0.9, title=f'at {thresholds[-1]:g}')
    for text in (axes.title, *legend.get_texts()):
        text.set_parse_math(False)  # a file's name may have dollar signs
    return figure
