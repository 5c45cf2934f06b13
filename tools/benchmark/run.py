#!/usr/bin/env python
"""Normalizer speed and memory, side by side with MMPose's own, in one run.

Tables in Markdown go to the screen, progress to stderr, every round with
versions and device to --out. Networks have random weights; no data set is
needed.
"""
import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hourglass_plugin.cli import arguments
from hourglass_plugin.resources import config_path

CONFIG = config_path('td-hm_hg8_1xb6-220e_mpii-256x256.py')

#: Options that every subject has.
SHARED = ('subject', 'config', 'cfg_options', 'device', 'threads', 'rounds',
          'out', 'markdown')


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    subjects = parser.add_subparsers(
        dest='subject', required=True, metavar='SUBJECT')

    inference = _add_subject(
        subjects, 'inference', 'our network plain (eager, float32, '
        'contiguous), tuned (the default) and fast (optimised), and MMPose\'s')
    _add_counts(inference, '--stacks', [1, 2, 8], 'sizes of our network')
    _add_counts(inference, '--batch-size', [1, 8], 'images at once')
    inference.add_argument(
        '--dtypes',
        nargs='+',
        choices=['float32', 'bfloat16', 'float16'],
        help='of the fast network (default: float32, and bfloat16 if the '
        'device has it)')
    inference.add_argument(
        '--parts',
        nargs='+',
        choices=['networks', 'flip', 'stacks'],
        default=['networks', 'flip', 'stacks'],
        help='networks: all of them, without decoding; flip: what the flip '
        'test costs, with decoding; stacks: stopping after each stack; '
        'the last two with the largest network (default: all)')
    _add_beside(inference)

    training = _add_subject(
        subjects, 'training', 'a training step: our network plain, tuned, '
        'compiled and in bfloat16, and MMPose\'s')
    _add_counts(training, '--stacks', [2], 'sizes of our network')
    _add_counts(training, '--batch-size', [4], 'images of a step')
    variants = ['plain', 'tuned', 'compiled', 'bfloat16', 'bfloat16-compiled']
    training.add_argument(
        '--variants',
        nargs='+',
        choices=variants,
        default=variants,
        help='of our network; the plain one is always among them (default: '
        'all)')
    _add_beside(training)

    data = _add_subject(
        subjects, 'data', 'from JPEG to training sample on one core, our '
        'pipeline and MMPose\'s; drawn people, unless --config names a config '
        'whose data are there')
    data.add_argument(
        '--people',
        type=arguments.positive_int,
        default=64,
        help='number of samples (default: %(default)s)')
    data.add_argument(
        '--training-rate',
        type=float,
        metavar='IMAGES_PER_SECOND',
        help='of a GPU, to say how many cores feed it')

    codec = _add_subject(subjects, 'codec',
                         'keypoints to heatmaps and back, ours and MMPose\'s')
    codec.add_argument(
        '--batch-size',
        type=arguments.positive_int,
        default=64,
        help='number of people (default: %(default)s)')

    memory = _add_subject(
        subjects, 'memory', 'memory and time of a training step with and '
        'without activation checkpointing, each in a process of its own')
    memory.add_argument(
        '--stacks',
        type=arguments.positive_int,
        default=8,
        help='size of our network (default: %(default)s)')
    memory.add_argument(
        '--batch-size',
        type=arguments.positive_int,
        default=4,
        help='images of a step (default: %(default)s)')
    return parser.parse_args()


def _add_subject(subjects: Any, name: str,
                 text: str) -> argparse.ArgumentParser:
    parser = subjects.add_parser(name, help=text, description=text)
    parser.add_argument(
        '--config',
        type=arguments.existing_file,
        help='config of our network (default: '
        f'{Path(CONFIG).name})')
    arguments.add_config_options(parser)
    parser.add_argument(
        '--device', help='such as cpu or cuda:0 (default: a GPU if there is)')
    parser.add_argument(
        '--threads',
        type=arguments.positive_int,
        help='of the processor (default: torch\'s choice; data has one)')
    parser.add_argument(
        '--rounds',
        type=arguments.positive_int,
        default=10,
        help='turns of each contender (default: %(default)s)')
    parser.add_argument(
        '--out', metavar='JSON', help='file to write all rounds to')
    parser.add_argument(
        '--markdown', metavar='FILE', help='file to write the tables to')
    return parser


def _add_counts(parser: argparse.ArgumentParser, name: str,
                default: list[int], text: str) -> None:
    parser.add_argument(
        name,
        nargs='+',
        type=arguments.positive_int,
        default=default,
        dest={
            '--batch-size': 'batch_sizes'
        }.get(name),
        metavar='N',
        help=f'{text} (default: {" ".join(map(str, default))})')


def _add_beside(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--beside',
        nargs='*',
        type=arguments.existing_file,
        metavar='CONFIG',
        help='configs of other networks to measure ours beside; without any, '
        'ours alone (default: MMPose\'s own)')


def main(args: argparse.Namespace) -> None:
    """Normalizer one subject, print and write what came out."""
    with arguments.setting_up():
        import baselines
        import machine
        import report
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
        config = load_config(args.config or CONFIG, args.cfg_options)
        baselines.check_config(config)
        device = args.device or get_device()
        described = machine.describe(device)
        settings = {
            name: value
            for name, value in vars(args).items() if name not in SHARED
        }
        choices = dict(settings)
        if settings.get('beside') is not None:
            choices['beside'] = {
                Path(path).stem: load_config(path)
                for path in args.beside
            }
    tables, notes = _measure(args, config, device, choices)
    text = report.markdown(tables, notes, described)
    print(text, end='')
    if args.markdown is not None:
        with atomic_file(args.markdown) as partial:
            partial.write_text(text, encoding='utf-8')
    if args.out is not None:
        settings.update(
            config=args.config or CONFIG,
            cfg_options=args.cfg_options,
            rounds=args.rounds)
        write_json(
            args.out,
            report.record(args.subject, settings, described, tables, notes),
            indent=1)


def _measure(args: argparse.Namespace, config: Any, device: str,
             settings: dict[str, Any]) -> tuple[list, list]:
    """Tables and notes of the subject."""
    if args.subject == 'data':
        import data
        with _people(args, config):
            with arguments.setting_up():
                dataset = data.build_people(config)
            return data.run(config, dataset, args.rounds, **settings)
    if args.subject == 'inference':
        from inference import run
    elif args.subject == 'training':
        from training import run
    elif args.subject == 'codec':
        from codec import run
    else:
        from memory import run
    return run(config, device, args.rounds, **settings)


@contextmanager
def _people(args: argparse.Namespace, config: Any) -> Iterator[None]:
    """Drawn people for the config, as long as they are needed."""
    if args.config is not None:
        yield
        return
    import synthetic_people
    from synthetic import available_cores
    from tqdm import tqdm
    with tempfile.TemporaryDirectory() as folder:
        written = synthetic_people.write_data_set(
            Path(folder) / 'people',
            synthetic_people.Settings(args.people, 1),
            available_cores())
        for _ in tqdm(written, 'drawing people', args.people + 1):
            continue
        dataset = config.train_dataloader.dataset
        dataset.data_root = str(Path(folder) / 'people') + '/'
        yield


if __name__ == '__main__':
    arguments.run(main, parse_args())
