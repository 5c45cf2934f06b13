"""Evaluate a checkpoint of a config's model with mmengine's runner."""
import argparse
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

from .arguments import add_fast_argument, add_runner_arguments, existing_file
from .errors import setting_up

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import TestLoop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments: those of MMPose's tool, and outputs."""
    parser.add_argument('config', type=existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument(
        '--out', metavar='JSON', help='file to write the scores to')
    parser.add_argument(
        '--dump', metavar='PKL',
        help='pickle file to write all predictions to')
    parser.add_argument(
        '--out-official', metavar='MAT',
        help='file to write all predictions to in the official format of MPII '
        '(`pred`, as its authors ask for) or FLIC (`examples`), in 1-based '
        "pixels. For MPII's test set it is the complete submission; for other "
        'people of MPII it has their images only')
    parser.add_argument(
        '--official-annotations', metavar='MAT',
        help='for --out-official: mpii_human_pose_v1_u12_1.mat or '
        'examples.mat, from which everything but the joints is copied; '
        "needed unless it is the config's annotation file")
    parser.add_argument(
        '--report', metavar='DIR',
        help='folder to write index.html to, one page with scores by joint '
        'and stack, curves, the best and the worst people, heatmaps, and '
        'errors by size, visibility and side')
    add_fast_argument(parser)
    add_runner_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Build the runner and test."""
    with setting_up() as set_up:
        from ..atomic_files import check_outputs
        from . import configs, runner
        from .distributed import connected_processes
        config = configs.load_config(args.config, args.cfg_options)
        configs.require_checkpoint(args.checkpoint)
        outputs = {
            '--out': args.out, '--dump': args.dump,
            '--out-official': args.out_official,
            '--report': args.report and f'{args.report}/index.html'}
        check_outputs(outputs, [
            args.config, args.checkpoint, args.official_annotations,
            *configs.annotation_files(config)])
        configs.set_work_dir(config, args.work_dir, args.config)
        set_test_outputs(config, args.dump, args.out_official,
                         args.official_annotations)
        configs.set_visualization(config, args)
        name = os.path.basename(sys.argv[0]).removesuffix('.exe')
        command = (['hourglass'] if name == 'hourglass' else
                   ['python', sys.argv[0]]) + sys.argv[1:]
        add_hooks(config, args.fast, args.report, dict(
            Config=args.config, Checkpoint=args.checkpoint,
            Command=shlex.join(command)))
        config.load_from = args.checkpoint
        test = runner.build_runner(config, args.launcher, args.local_rank,
                                   started=set_up)
        if args.out_official is not None:
            keep_writers(test.test_loop)
        if args.report is not None:
            from ..report.hook import check_reportable
            check_reportable(test)
        with connected_processes():
            scores = test.test()
    if args.out is not None and test.rank == 0:
        configs.write_json(args.out, scores, indent=1)


def set_test_outputs(config: 'Config', dump: str | None,
                     official: str | None = None,
                     official_annotations: str | None = None) -> None:
    """Have every prediction written to files as well.

    Args:
        config: is changed.
        dump: file name ending in ``.pkl`` or ``.pickle``; None writes none.
        official: file name ending in ``.mat``, for MPII's or FLIC's own
            format; None writes none.
        official_annotations: the dataset's official ``.mat`` file, by default
            the config's annotation file if that is a ``.mat`` file.

    Raises:
        ValueError: if the config cannot be tested or a name does not fit.
    """
    from .configs import require_settings
    require_settings(config, 'tested', 'test_dataloader', 'test_cfg',
                     'test_evaluator')
    for option, name, suffixes in (('--dump', dump, ('.pkl', '.pickle')),
                                   ('--out-official', official, ('.mat', ))):
        if name is not None and not name.endswith(suffixes):
            raise ValueError(f'{option} {name}: the name must end in '
                             f'{suffixes[0]}')
    added: list[dict[str, Any]] = []
    if dump is not None:
        added.append(dict(type='DumpResults', out_file_path=dump))
    if official is not None:
        if official_annotations is None:
            dataset = config.test_dataloader.dataset
            path = os.path.join(
                dataset.get('data_root') or '', dataset.get('ann_file') or '')
            official_annotations = path if path.endswith('.mat') else None
        added.append(dict(type='OfficialPredictionFile', out_file=official,
                          official_file=official_annotations))
    elif official_annotations is not None:
        raise ValueError('--official-annotations is for --out-official')
    if added:
        metrics = config.test_evaluator
        metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
        config.test_evaluator = [*metrics, *added]


def keep_writers(loop: 'TestLoop') -> None:
    """Check a submission's people; without annotations, compute no scores.

    Raises:
        ValueError: if the submission cannot be written for these people.
    """
    from mmengine.evaluator import DumpResults
    from mmengine.logging import print_log

    from ..evaluation.files.submissions import OfficialPredictionFile
    evaluator = loop.evaluator
    annotated = [metric.check_people(loop.dataloader.dataset)
                 for metric in evaluator.metrics
                 if isinstance(metric, OfficialPredictionFile)]
    if not all(annotated):
        writers = DumpResults, OfficialPredictionFile
        evaluator.metrics = [metric for metric in evaluator.metrics
                             if isinstance(metric, writers)]
        print_log('The dataset has no annotations: predictions are '
                  'written, without scores', 'current')


def add_hooks(config: 'Config', fast: str | None, report: str | None,
              facts: dict[str, str]) -> None:
    """Add the hooks of ``--fast`` and ``--report`` to a config.

    Args:
        config: is changed.
        fast: precision of the accelerated network, or None.
        report: folder of the page about the test, with ``facts``, or None.
        facts: name -> value.

    Raises:
        ValueError: if the config's network predicts no poses.
    """
    from ..models.consistency import check_predicts_poses
    hooks = list(config.get('custom_hooks') or [])
    if fast is not None:
        hooks = [x for x in hooks if x.get('type') != 'FastInferenceHook']
        hooks.append(dict(type='FastInferenceHook', precision=fast))
    if report is not None:
        check_predicts_poses(config)
        hooks.append(dict(type='ReportHook', out_dir=report, facts=facts))
    config.custom_hooks = hooks
