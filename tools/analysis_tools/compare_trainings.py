#!/usr/bin/env python
"""Compare finished trainings: a table and a picture of their scores.

Give the folders of trainings (work dirs of tools/train.py), or folders above
them. Trainings of one config that differ in the seed only are one row: the
mean over the seeds, the lowest and the highest.
"""
import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hourglass_plugin.cli import arguments

if TYPE_CHECKING:
    from trainings import Training

EXAMPLE = """
example, three seeds of two configs:
  for seed in 0 1 2; do for name in hg4x1-w64 hg2x2-w64; do
    python tools/train.py configs/body_2d_keypoint/topdown_heatmap/\
lspet_ablations/td-hm_${name}_1xb16-2e_lspet-128x128.py
        --cfg-options randomness.seed=$seed --work-dir study/$name/seed_$seed
  done; done
  python tools/compare_trainings.py study --out study

A training counts when it has been validated after its last epoch; others are
named and left out. One that was resumed counts once. Scores are those that
mmengine logged (vis_data/scalars.json). With few seeds lowest and highest say
more than a standard deviation, which three numbers hardly determine.
"""


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'folders', nargs='+', metavar='FOLDER', help='with trainings in it')
    parser.add_argument(
        '--out',
        required=True,
        metavar='DIR',
        help='folder to write trainings.md and trainings.png to')
    parser.add_argument(
        '--metric',
        nargs='+',
        action='extend',
        metavar='NAME',
        help='scores by the names under which they were logged, for example '
        'lsp/PCK@0.2 lsp/PCK@0.2/Wrist; the first is drawn, and given for '
        'each stack (default: the means of the benchmark)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Read, compare, print, write."""
    with arguments.setting_up():
        from training_curves import draw_trainings
        from trainings import (
            best_first,
            check_metrics,
            comparison_tables,
            default_metrics,
            group_trainings,
            read_trainings,
            score_curves,
        )

        from hourglass_plugin.atomic_files import atomic_file, check_outputs
        from hourglass_plugin.visualization import save_image
        out = Path(args.out)
        check_outputs({'--out': out / 'trainings.md'})
        check_outputs({'--out': out / 'trainings.png'})
        trainings, left_out = read_trainings(args.folders)
        groups = group_trainings(trainings)
        metrics = args.metric or default_metrics(trainings[0].last)
        check_metrics(groups, metrics)
        groups = best_first(groups, metrics[0])
        sizes, notes = network_sizes(groups)
        text = '\n\n'.join([
            comparison_tables(groups, metrics, sizes), *notes,
            *(f'Left out: {reason}.' for reason in left_out)
        ])
        print(text)
        with atomic_file(out / 'trainings.md') as partial:
            partial.write_text(text + '\n', encoding='utf-8')
        curves = score_curves(groups, metrics[0])
        save_image(out / 'trainings.png', draw_trainings(curves, metrics[0]))


def network_sizes(
        groups: 'dict[str, list[Training]]'
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Weights and multiply-adds by group, and why some cannot be counted."""
    from baselines import input_size, model_figures
    sizes, notes = {}, []
    for name, members in groups.items():
        config = members[0].config
        if 'head' not in config.model:  # a detector's
            continue
        try:
            sizes[name] = model_figures(config, input_size(config))
        except Exception as error:  # whatever builds a network of anybody's
            notes.append(f'The network of `{name}` cannot be built here: '
                         f'{type(error).__name__}: {error}')
    return sizes, notes


if __name__ == '__main__':
    arguments.run(main, parse_args())
