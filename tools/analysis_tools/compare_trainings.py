#!/usr/bin/env python
"""Compare finished training runs: a table and a plot of their scores.

Name the work dirs of tools/train.py, or folders above them. Runs of one config
that differ in the seed only are one row: the mean over the seeds, the lowest
and the highest.
"""
import argparse
import copy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import errors

if TYPE_CHECKING:
    from mmengine.config import ConfigDict
    from training_runs import Training

EXAMPLE = """
example, three seeds of two configs:
  for seed in 0 1 2; do for name in hg4x1-w64 hg2x2-w64; do
    python tools/train.py configs/body_2d_keypoint/topdown_heatmap/\
lspet_ablations/td-hm_${name}_1xb16-2e_lspet-128x128.py
        --cfg-options randomness.seed=$seed --work-dir study/$name/seed_$seed
  done; done
  python tools/analysis_tools/compare_trainings.py study --out study

A run counts if it was validated after its last epoch; others are named and
left out. A resumed one counts once. Scores are those of mmengine's log
(vis_data/scalars.json). With few seeds lowest and highest are more
informative than a standard deviation.
"""


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'folders', nargs='+', metavar='FOLDER', help='with training runs')
    parser.add_argument(
        '--out',
        required=True,
        metavar='DIR',
        help='folder to write runs.md and runs.png to')
    parser.add_argument(
        '--metric',
        nargs='+',
        action='extend',
        metavar='NAME',
        help='names of logged scores, for example lsp/PCK@0.2 '
        'lsp/PCK@0.2/Wrist; the first is drawn, and given for each stack '
        '(default: the means of the benchmark)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Read, compare, print, write."""
    with errors.setting_up():
        from training_plots import draw_trainings
        from training_runs import (
            best_first,
            check_metrics,
            default_metrics,
            group_trainings,
            read_trainings,
            score_curves,
        )
        from training_tables import comparison_tables

        from hourglass_plugin.atomic_files import atomic_file, check_outputs
        from hourglass_plugin.visualization import save_image
        out = Path(args.out)
        check_outputs({'--out': out / 'runs.md'})
        check_outputs({'--out': out / 'runs.png'})
        runs, left_out = read_trainings(args.folders)
        groups = group_trainings(runs)
        metrics = args.metric or default_metrics(runs[0].last)
        check_metrics(groups, metrics)
        groups = best_first(groups, metrics[0])
        sizes, notes = network_sizes(groups)
        text = '\n\n'.join([
            comparison_tables(groups, metrics, sizes), *notes,
            *(f'Left out: {reason}.' for reason in left_out)
        ])
        print(text)
        with atomic_file(out / 'runs.md') as partial:
            partial.write_text(text + '\n', encoding='utf-8')
        curves = score_curves(groups, metrics[0])
        save_image(out / 'runs.png', draw_trainings(curves, metrics[0]))


def network_sizes(
        groups: 'dict[str, list[Training]]'
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Count parameters and multiply-adds by group.

    Returns:
        Group -> ``parameters`` and ``multiply_adds``; and a note for each
        network that cannot be built.
    """
    sizes, notes = {}, []
    for name, members in groups.items():
        model = members[0].config.model
        if 'head' not in model:  # a detector's
            continue
        try:
            sizes[name] = network_size(model)
        except Exception as error:  # any module of a user's may fail
            notes.append(f'The network of `{name}` cannot be built here: '
                         f'{type(error).__name__}: {error}')
    return sizes, notes


def network_size(options: 'ConfigDict') -> dict[str, int]:
    """Count a pose model's parameters, and multiply-adds for one image.

    Args:
        options: the config's ``model``, whose codec has the input size.
    """
    import torch
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS
    from torch import nn
    init_default_scope('mmpose')
    options = copy.deepcopy(options)
    options.backbone.pop('init_cfg', None)  # nothing is downloaded
    model = MODELS.build(options).eval()
    counts = []

    def count(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        transposed = isinstance(module, nn.ConvTranspose2d)
        places = inputs[0] if transposed else output
        counts.append(places.numel() * module.weight[0].numel())

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            module.register_forward_hook(count)
    width, height = options.head.decoder.input_size
    with torch.no_grad():
        model(torch.zeros(1, 3, height, width), None, mode='tensor')
    return dict(
        parameters=sum(weight.numel() for weight in model.parameters()),
        multiply_adds=sum(counts))


if __name__ == '__main__':
    errors.run(main, parse_args())
