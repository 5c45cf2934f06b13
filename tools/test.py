#!/usr/bin/env python
"""Evaluate a checkpoint of a config's model with mmengine's runner."""
import argparse
import shlex
import sys

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line; the arguments are those of MMPose's tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument('checkpoint', help='checkpoint of this config')
    parser.add_argument(
        '--out', metavar='JSON', help='file to write the scores to')
    parser.add_argument(
        '--dump',
        metavar='PKL',
        help='pickle file to write all predictions to')
    parser.add_argument(
        '--out-official',
        metavar='MAT',
        help='file to write all predictions to in the official format of MPII '
        '(`pred`, what its authors ask for) or FLIC (`examples`), pixels '
        'counted from 1. Of MPII\'s people to test it is the complete '
        'submission; of its other people it holds their images only')
    parser.add_argument(
        '--official-annotations',
        metavar='MAT',
        help='for --out-official: mpii_human_pose_v1_u12_1.mat or '
        'examples.mat, which everything but the joints is copied from; needed '
        'for a submission unless it is the config\'s annotation file')
    parser.add_argument(
        '--report',
        metavar='DIR',
        help='folder to write index.html to, one page with scores by joint '
        'and stack, curves, the best and the worst people, heatmaps, and '
        'errors by size, visibility and side')
    arguments.add_fast_argument(parser)
    arguments.add_runner_arguments(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Build the runner and test."""
    with arguments.setting_up():
        from hourglass_plugin.atomic_files import check_outputs
        from hourglass_plugin.cli import command_line
        from hourglass_plugin.cli import distributed as processes
        from hourglass_plugin.models.weights.loading import read_checkpoint
        from hourglass_plugin.report.hook import check_reportable
        config = command_line.load_config(args.config, args.cfg_options)
        check_outputs(
            {
                '--out': args.out,
                '--dump': args.dump,
                '--out-official': args.out_official,
                '--report': args.report and f'{args.report}/index.html'
            }, [
                args.config, args.checkpoint, args.official_annotations,
                *command_line.annotation_files(config, 'test')
            ])
        command_line.set_work_dir(config, args.work_dir, args.config)
        command_line.set_test_outputs(config, args.dump, args.out_official,
                                      args.official_annotations)
        command_line.set_fast_inference(config, args.fast)
        command_line.set_pictures(config, args)
        command_line.set_report(
            config, args.report, {
                'Config': args.config,
                'Checkpoint': args.checkpoint,
                'Command': shlex.join(['python', *sys.argv])
            })
        config.load_from = args.checkpoint
        checkpoint = read_checkpoint(args.checkpoint)
        runner = command_line.build_runner(config, args.launcher,
                                           args.local_rank)
        command_line.load_weights(runner.model, checkpoint, args.checkpoint)
        command_line.build_loops(runner, 'test')
        if args.report is not None:
            check_reportable(runner)
    with processes.connected_processes():
        scores = runner.test()
    if args.out is not None and runner.rank == 0:
        command_line.write_json(args.out, scores, indent=1)


if __name__ == '__main__':
    arguments.run(main, parse_args())
