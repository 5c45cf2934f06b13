#!/usr/bin/env python
"""Measure speed and memory, side by side with MMPose's own, in one run.

Tables in Markdown go to the screen, progress to stderr, every round with
versions and device to --out. Networks have random parameters, and no dataset
is needed, unless `inference` gets a checkpoint.
"""
import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from hourglass_plugin.cli import arguments, errors
from hourglass_plugin.resources import config_path

CONFIG = config_path('td-hm_hg8_1xb6-220e_mpii-256x256.py')
#: Arguments that every subject has.
SHARED = ('subject', 'config', 'cfg_options', 'device', 'threads', 'rounds',
          'out', 'markdown')
SUBJECTS = {
    'inference': 'our network plain (eager, float32, contiguous), by default '
    'and accelerated, other engines by hand, and MMPose\'s networks',
    'training': 'a training step: our network plain, tuned, compiled and in '
    'bfloat16, and MMPose\'s',
    'data': 'from JPEG to training sample on one core, our pipeline and '
    'MMPose\'s; drawn people, unless --config names a config with its data',
    'codec': 'keypoints to heatmaps and back, ours and MMPose\'s',
    'memory': 'memory and time of a training step with and without '
    'activation checkpointing, each in a process of its own',
}
VARIANTS = ['plain', 'tuned', 'compiled', 'bfloat16', 'bfloat16-compiled']


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    subjects = parser.add_subparsers(
        dest='subject', required=True, metavar='SUBJECT')
    parsers = {
        name: subjects.add_parser(name, help=text, description=text)
        for name, text in SUBJECTS.items()
    }
    for each in parsers.values():
        _add_shared_arguments(each)
    for name, default, text in (
        ('inference --people', 1000, 'of the test set, with --checkpoint'),
        ('inference --batch-size', [1, 8], 'images at once'),
        ('training --stacks', [2], 'sizes of our network'),
        ('training --batch-size', [4], 'images of a step'),
        ('data --people', 64, 'number of samples'),
        ('codec --batch-size', 64, 'number of people'),
        ('memory --stacks', 8, 'size of our network'),
        ('memory --batch-size', 4, 'images of a step')):
        subject, option = name.split()
        several = isinstance(default, list)
        parsers[subject].add_argument(
            option,
            nargs='+' if several else None,
            type=arguments.positive_int,
            default=default,
            metavar='N',
            help=f'{text} (default: %(default)s)')
    parsers['inference'].add_argument(
        '--stacks',
        nargs='+',
        type=arguments.positive_int,
        metavar='N',
        help='sizes of our network (default: 1 2 8, or the checkpoint\'s)')
    parsers['inference'].add_argument(
        '--precisions',
        nargs='+',
        choices=['float32', 'int8', 'bfloat16'],
        help='of the accelerated networks (default: all that the CPU has)')
    parsers['inference'].add_argument(
        '--checkpoint',
        type=arguments.existing_file,
        help='trained weights of the config, whose scores on its test set '
        'are measured too (default: random weights)')
    parsers['inference'].add_argument(
        '--scores',
        type=arguments.existing_file,
        metavar='JSON',
        help='scores that were measured elsewhere, {"name": {"score": 60.9}, '
        '...}; a network that is not measured here has its "ms", too')
    parsers['inference'].add_argument(
        '--picture',
        metavar='PNG',
        help='file for a drawing of score against time')
    parsers['training'].add_argument(
        '--variants',
        nargs='+',
        choices=VARIANTS,
        default=VARIANTS,
        help='of our network; plain is always among them (default: all)')
    for subject in ('inference', 'training'):
        parsers[subject].add_argument(
            '--beside',
            nargs='*',
            type=arguments.existing_file,
            metavar='CONFIG',
            help='configs of other networks to compare with; without any, '
            'ours alone (default: MMPose\'s own)')
    return parser.parse_args()


def _add_shared_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--config',
        type=arguments.existing_file,
        help=f'config of our network (default: {Path(CONFIG).name})')
    arguments.add_config_options(parser)
    parser.add_argument(
        '--device', help='such as cpu or cuda:0 (default: a GPU if there is)')
    parser.add_argument(
        '--threads',
        type=arguments.positive_int,
        help='of the CPU (default: torch\'s choice; data has one)')
    parser.add_argument(
        '--rounds',
        type=arguments.positive_int,
        default=10,
        help='turns of each candidate (default: %(default)s)')
    parser.add_argument(
        '--out', metavar='JSON', help='file to write all rounds to')
    parser.add_argument(
        '--markdown', metavar='FILE', help='file to write the tables to')


def main(args: argparse.Namespace) -> None:
    """Measure one subject, print and write its tables."""
    with errors.setting_up():
        import bench_baselines
        import bench_machine
        import bench_report
        import torch
        from mmengine.device import get_device

        from hourglass_plugin.atomic_files import atomic_file, check_outputs
        from hourglass_plugin.cli.configs import load_config, write_json
        check_outputs({
            '--out': args.out,
            '--markdown': args.markdown
        }, [args.config, *(getattr(args, 'beside', None) or [])])
        if args.subject == 'data':
            args.threads = 1
        if args.threads is not None:
            torch.set_num_threads(args.threads)
        args.config, drawn = args.config or CONFIG, args.config is None
        config = load_config(args.config, args.cfg_options)
        bench_baselines.check_config(config)
        device = args.device or get_device()
        machine = bench_machine.describe(device)
        options: dict[str, Any] = {
            name: value
            for name, value in vars(args).items() if name not in SHARED
        }
        if options.get('beside') is not None:
            options['beside'] = {
                Path(path).stem: load_config(path)
                for path in args.beside
            }
        subject = import_module(f'bench_{args.subject}')
    with _people(args, config, drawn):
        if args.subject == 'data':
            with errors.setting_up():
                device = subject.build_dataset(config)
        tables, notes = subject.run(config, device, args.rounds, **options)
    text = bench_report.markdown(tables, notes, machine)
    print(text, end='')
    if args.markdown is not None:
        with atomic_file(args.markdown) as partial:
            partial.write_text(text, encoding='utf-8')
    if args.out is not None:
        settings = {
            name: value
            for name, value in vars(args).items()
            if name not in ('subject', 'out', 'markdown')
        }
        write_json(
            args.out,
            bench_report.record(args.subject, settings, machine, tables,
                                notes),
            indent=1)


@contextmanager
def _people(args: argparse.Namespace, config: Any,
            drawn: bool) -> Iterator[None]:
    """Draw people for the config, if it is our own, while they are needed."""
    if args.subject != 'data' or not drawn:
        yield
        return
    sys.path.append(str(ROOT / 'tools' / 'synthetic_data'))
    from synthetic import Settings
    from synthetic_people import DATASET
    from tqdm import tqdm
    with tempfile.TemporaryDirectory() as folder:
        written = DATASET.write(
            Path(folder) / 'people', Settings(args.people, 1),
            os.cpu_count() or 1)
        for _ in tqdm(written, 'drawing people', args.people + 1):
            continue
        config.train_dataloader.dataset.data_root = f'{folder}/people/'
        yield


if __name__ == '__main__':
    errors.run(main, parse_args())
