#!/usr/bin/env python
"""Score the mean pose of the training set on a config's test set.

A trivial baseline: it uses each person's box, but no image.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import arguments, errors


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    arguments.add_config_options(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Average, predict, evaluate."""
    with errors.setting_up():
        import numpy as np
        from mean_pose import mean_pose, place_pose
        from mmengine.registry import init_default_scope
        from mmpose.registry import DATASETS, METRICS

        from hourglass_plugin.cli.configs import load_config
        config = load_config(args.config, args.cfg_options)
        init_default_scope(config.default_scope)
        train = DATASETS.build(config.train_dataloader.dataset)
        test = DATASETS.build(config.test_dataloader.dataset)
        metric = METRICS.build(config.test_evaluator)
    people = [train.get_data_info(index) for index in range(len(train))]
    pose = mean_pose(*(np.concatenate([person[key] for person in people])
                       for key in ('keypoints', 'keypoints_visible',
                                   'bbox_center', 'bbox_scale')))
    metric.dataset_meta = test.metainfo
    for index in range(len(test)):
        person = test.get_data_info(index)
        predicted = place_pose(pose, person['bbox_center'][0],
                               person['bbox_scale'][0])
        metric.process(
            None,
            [dict(pred_instances=dict(keypoints=predicted[None]),
                  gt_instances=person,
                  raw_ann_info=person.get('raw_ann_info'))])
    metric.evaluate(len(test))  # writes the table to the log


if __name__ == '__main__':
    errors.run(main, parse_args())
