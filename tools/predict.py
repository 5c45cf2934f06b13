#!/usr/bin/env python
"""Predict and draw the poses in a photograph, a folder of them or a video.

With the weights that come with the package, or a config and a checkpoint of
your own. One person is looked for in each image, unless boxes say where
people are. Writes a drawn picture under each image's own name, or a drawn MP4
of a video, and predictions.json. Joints are in 0-based pixels: the centre of
the top-left pixel is (0, 0).
"""
import argparse
import os
import sys
from pathlib import Path

from hourglass_plugin.cli import arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', help='image, folder of images or video')
    parser.add_argument(
        'config',
        nargs='?',
        type=arguments.existing_file,
        help='config file (default: with the weights of the package)')
    parser.add_argument(
        'checkpoint', nargs='?', help='checkpoint of this config')
    parser.add_argument(
        '-o',
        '--out',
        default='predictions',
        help='folder for the results (default: predictions)')
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--bbox',
        nargs=4,
        type=float,
        action='append',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='box of a person: left, top, right, bottom in pixels; may be '
        'given several times (default: one person is looked for)')
    where.add_argument(
        '--whole-image',
        action='store_true',
        help='the images are crops, of one person each')
    parser.add_argument(
        '--score-threshold',
        type=float,
        default=0.2,
        help='joints with lower scores are not drawn (default: 0.2); the '
        'JSON has them all')
    parser.add_argument(
        '--batch-size',
        type=arguments.positive_int,
        default=16,
        help='images that go through the network at once (default: 16)')
    parser.add_argument(
        '--device', help='such as cpu or cuda:0 (default: a GPU if there is)')
    arguments.add_fast_argument(parser)
    arguments.add_config_options(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Load the model, predict, write the results."""
    if args.config is None and not args.cfg_options and args.fast is None:
        _start_quickly()
    with arguments.setting_up():
        if args.config is not None and args.checkpoint is None:
            raise ValueError(f'there is {args.config}, but no checkpoint: '
                             'give a config and its checkpoint, or neither '
                             'for the weights of the package')
        from mmengine.device import get_device

        from hourglass_plugin.cli import command_line
        from hourglass_plugin.inference import predictor as prediction
        from hourglass_plugin.models.weights.loading import read_checkpoint
        if args.config is None:
            from hourglass_plugin.weights import shipped_weights
            args.config, args.checkpoint = shipped_weights()
        out = Path(args.out)
        source = prediction.open_input(args.input, out)
        is_video = isinstance(source, prediction.Video)
        config = command_line.load_config(args.config, args.cfg_options)
        checkpoint = read_checkpoint(args.checkpoint)
        model = prediction.build_pose_model(config, checkpoint,
                                            args.checkpoint, args.device
                                            or get_device(), args.fast)
        if args.fast is not None:
            print('The first images wait for the compiler', file=sys.stderr)
        predictor = prediction.PosePredictor(model, args.bbox,
                                             args.score_threshold,
                                             args.batch_size,
                                             args.whole_image)
        if is_video:
            predictor.check_boxes(source.path, *source.size)
    failures = []
    if is_video:
        records = predictor.predict_video(source, out)
    else:
        records, failures = predictor.predict_images(source, out)
    if records:
        command_line.write_json(
            str(out / 'predictions.json'),
            dict(
                config=args.config,
                checkpoint=args.checkpoint,
                joints=predictor.skeleton.joints,
                predictions=records))
        print(f'{len(records)} drawn, with predictions.json, in {out}')
    if failures:
        lines = [f'predict.py: error: {failure}' for failure in failures]
        sys.exit('\n'.join(lines))


def _start_quickly() -> None:
    """Leave out what the weights of the package do without.

    See hourglass_plugin/quick_imports.py, which must not be imported before.
    """
    if 'hourglass_plugin' not in sys.modules:
        os.environ['HOURGLASS_PLUGIN_ONLY'] = 'prediction'


if __name__ == '__main__':
    arguments.run(main, parse_args())
