#!/usr/bin/env python
"""Train the model of a config with mmengine's runner."""
import argparse

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line; the arguments are those of MMPose's tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or without a name from the latest '
        'one in the work dir')
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: float16 on a GPU, bfloat16 on the processor')
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not evaluate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate from the config's "
        'auto_scale_lr.base_batch_size to the actual batch size')
    arguments.add_runner_arguments(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Build the runner and train."""
    with arguments.setting_up():
        from hourglass_plugin.cli import command_line
        from hourglass_plugin.cli import distributed as processes
        config = command_line.load_config(args.config, args.cfg_options)
        command_line.set_work_dir(config, args.work_dir, args.config)
        command_line.set_training(
            config,
            resume=args.resume,
            mixed_precision=args.amp,
            validate=not args.no_validate,
            scale_learning_rate=args.auto_scale_lr)
        command_line.set_pictures(config, args)
        runner = command_line.build_runner(config, args.launcher,
                                           args.local_rank)
        command_line.start_from_weights(runner)
        command_line.build_loops(runner, 'train', 'val')
        command_line.build_optimizer(runner)
        if config.resume:
            command_line.check_resumable(runner, config.load_from or 'auto')
    with processes.connected_processes(config.work_dir):
        runner.train()


if __name__ == '__main__':
    arguments.run(main, parse_args())
