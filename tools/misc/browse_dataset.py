#!/usr/bin/env python
"""Draw the training or evaluation samples of a config.

Writes sheets of crops as the pipeline makes them, augmentation included, with
their joints and, for training, their target heatmaps.
"""
import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[:0] = [
    str(Path(__file__).resolve().parents[depth]) for depth in (0, 2)]
from hourglass_plugin.cli import errors
from hourglass_plugin.cli.arguments import (
    add_config_options,
    existing_file,
    positive_int,
)

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch.utils.data import Dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('config', type=existing_file, help='config file')
    parser.add_argument(
        '-o',
        '--out',
        default='browse',
        help='folder for the sheets (default: browse)')
    parser.add_argument(
        '--phase',
        choices=['train', 'val', 'test'],
        default='train',
        help='dataset and pipeline (default: train)')
    parser.add_argument(
        '--number',
        type=positive_int,
        default=48,
        help='number of samples, spread over the dataset (default: 48)')
    parser.add_argument(
        '--seed', type=int, default=0, help='of the augmentation (default: 0)')
    add_config_options(parser)


def main(args: argparse.Namespace) -> None:
    """Build the dataset and draw."""
    with errors.setting_up():
        from mmengine.runner import set_random_seed

        from hourglass_plugin.cli.configs import load_config
        config = load_config(args.config, args.cfg_options)
        set_random_seed(args.seed)
        dataset = build_dataset(config, args.phase)
    import dataset_samples
    files = dataset_samples.write_dataset_sheets(
        dataset, args.number, Path(args.out), args.phase)
    print('\n'.join(str(file) for file in files))


def build_dataset(config: 'Config', phase: str) -> 'Dataset':
    """Build a dataset whose samples can be drawn.

    Args:
        config: is changed.
        phase: ``train``, ``val`` or ``test``.

    Raises:
        FileNotFoundError: if the annotations are not there.
        ValueError: if the config has no such dataset, or is a detector's.
    """
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS

    from hourglass_plugin.models.consistency import check_predicts_poses
    loader = config.get(f'{phase}_dataloader')
    if loader is None:
        raise ValueError(f'the config has no `{phase}_dataloader`')
    check_predicts_poses(config)
    _pack_for_drawing(loader.dataset)
    init_default_scope(config.get('default_scope', 'mmpose'))
    return DATASETS.build(loader.dataset)


def _pack_for_drawing(pipeline: Any) -> None:
    """Have MMPose pack the joints' places in the crop, and heatmaps.

    Args:
        pipeline: config of a pipeline, or of a dataset with pipelines at any
            depth; is changed.
    """
    if isinstance(pipeline, dict):
        if pipeline.get('type') == 'PackPoseInputs':
            pipeline['pack_transformed'] = True
        if pipeline.get('encode_on_device'):
            pipeline['encode_on_device'] = False
        pipeline = list(pipeline.values())
    if isinstance(pipeline, (list, tuple)):
        for part in pipeline:
            _pack_for_drawing(part)


if __name__ == '__main__':
    errors.run_command(sys.modules[__name__])
