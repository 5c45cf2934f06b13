#!/usr/bin/env python
"""Score files of predictions against a benchmark's ground truth.

Files: .h5 and .mat with an array `preds`, `pred` or `pos_pred_src`, .npy, and
the .pkl that tools/test.py --dump writes. Arrays are people x joints x (x, y),
or the other way round, with or without scores; joints in the dataset's order,
people in the ground truth's order.
"""
import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import arguments, errors

if TYPE_CHECKING:
    from hourglass_plugin.evaluation.scores import Scores

PROTOCOL = """
protocol:
  mpii  PCKh: correct within 0.5 (also 0.2, 0.1) times 0.6 x the diagonal of
        the head box. Head is the head's top. The mean leaves out pelvis and
        thorax. This is what HRNet's evaluation and those like it compute from
        mpii_gt_val.mat.
  flic  PCK: correct within 0.2 (also 0.1, 0.5) times the distance from right
        shoulder to left hip, observer-centric.
  lsp   PCK: the same measure.

  A joint at exactly the threshold is correct (<=, as in MPII's evaluation;
  MMPose has <). A column is the mean of left and right, the mean counts every
  annotated joint once; some codes average the joints' scores instead. HRNet's
  PCKh@0.1 is at 0.11. AKEW is the mean over ankles, knees, elbows and wrists,
  the figure of the hourglass paper's ablation.

pixels:
  Files that MATLAB or the codes of Newell, Yang and HRNet wrote count from 1,
  our own and MMPose's dumps from 0. With the wrong choice every joint is a
  pixel off in x and y, and nothing else shows it.

examples:
  score_predictions.py --dataset mpii --ground-truth mpii_gt_val.mat pred.mat
      --one-based
  score_predictions.py --dataset mpii --ground-truth mpii_gt_val.mat pred.mat
      --one-based --others dump.pkl --curve curve.png
  score_predictions.py --dataset flic --ground-truth examples.mat
      --subset test preds.h5 --one-based
"""


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=PROTOCOL,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'predictions',
        nargs='+',
        type=arguments.existing_file,
        help='files of predictions')
    parser.add_argument(
        '--dataset', required=True, choices=['mpii', 'flic', 'lsp'])
    parser.add_argument(
        '--ground-truth',
        required=True,
        type=arguments.existing_file,
        metavar='FILE',
        help='annotation file: mpii_gt_val.mat or any other of MPII with head '
        'sizes; FLIC\'s examples.mat or .h5; LSP\'s joints.mat or JSON')
    pixels = parser.add_mutually_exclusive_group(required=True)
    pixels.add_argument(
        '--zero-based',
        dest='first_pixel',
        action='store_const',
        const=0,
        help='the predictions count pixels from 0')
    pixels.add_argument(
        '--one-based',
        dest='first_pixel',
        action='store_const',
        const=1,
        help='the predictions count pixels from 1, as MATLAB does')
    parser.add_argument(
        '--others',
        nargs='+',
        default=[],
        type=arguments.existing_file,
        metavar='FILE',
        help='more predictions, which count pixels the other way')
    parser.add_argument(
        '--subset',
        help='people of an annotation file that holds several subsets: train, '
        'val, trainval or test')
    parser.add_argument(
        '--validation-file',
        type=arguments.existing_file,
        metavar='FILE',
        help='for MPII\'s official .mat file, which does not know its '
        'validation people: a file that does, such as mpii_gt_val.mat')
    parser.add_argument(
        '--out',
        metavar='JSON',
        help='file to write the scores to, by file and name')
    parser.add_argument(
        '--curve',
        metavar='PNG',
        help='picture to write: the mean as a function of the threshold')
    return parser.parse_args()


def short_names(paths: list[str]) -> dict[str, str]:
    """Each path's file name, or the path itself if several are called so."""
    names = [Path(path).name for path in paths]
    return {
        path: name if names.count(name) == 1 else path
        for path, name in zip(paths, names)
    }


def comparison_row(scores: 'Scores') -> dict[str, float]:
    """Return the benchmark's row and the means of the other rows."""
    others = {
        str(name): row['Mean']
        for name, row in scores.rows.items()
        if name.is_overall and name != scores.benchmark
    }
    return {**scores.printed(scores.rows[scores.benchmark]), **others}


def main(args: argparse.Namespace) -> None:
    """Read, score, print, write."""
    with errors.setting_up():
        from ground_truth import read_ground_truth, score_predictions
        from prediction_files import read_predictions
        from training_plots import as_image

        from hourglass_plugin.atomic_files import check_outputs
        from hourglass_plugin.cli.configs import write_json
        from hourglass_plugin.evaluation.table import (
            format_table,
            logged_scores,
        )
        from hourglass_plugin.report.curves import plot_pck_curves
        from hourglass_plugin.visualization import save_image
        check_outputs({
            '--out': args.out,
            '--curve': args.curve
        }, [
            args.ground_truth, args.validation_file, *args.predictions,
            *args.others
        ])
        first_pixels = dict.fromkeys(args.predictions, args.first_pixel)
        files = {Path(path).resolve() for path in args.predictions}
        for path in args.others:
            if Path(path).resolve() in files:
                raise ValueError(f'{path} is also among --others; its pixels '
                                 'count from 0 or from 1')
        first_pixels.update(dict.fromkeys(args.others, 1 - args.first_pixel))
        truth = read_ground_truth(args.dataset, args.ground_truth, args.subset,
                                  args.validation_file)
        scores = {
            path: score_predictions(
                read_predictions(path, truth.skeleton, len(truth.keypoints),
                                 first_pixel), truth, path)
            for path, first_pixel in first_pixels.items()
        }

        names = short_names(list(scores))
        tables = [
            found.text(f'{args.dataset}, {names[path]}')
            for path, found in scores.items()
        ]
        first = next(iter(scores.values()))
        if len(scores) > 1:
            tables.append(f'Comparison, {first.benchmark} and the mean of the '
                          'other rows\n' + format_table({
                              names[path]: comparison_row(found)
                              for path, found in scores.items()
                          }))
        print('\n\n'.join(tables))
        if args.out is not None:
            write_json(
                args.out, {
                    path: {
                        f'{args.dataset}/{name}': score
                        for name, score in logged_scores(found.rows).items()
                    }
                    for path, found in scores.items()
                },
                indent=1)
        if args.curve is not None:
            normalizer = truth.normalizer
            curves = {
                names[path]: found.mean_curve
                for path, found in scores.items()
            }
            figure = plot_pck_curves(
                curves, first.thresholds,
                f'{normalizer.title} on {args.dataset}, '
                f'{first.num_people:,} people',
                f'threshold, times {normalizer.unit}',
                'percent of correct joints, mean')
            save_image(args.curve, as_image(figure))


if __name__ == '__main__':
    errors.run(main, parse_args())
