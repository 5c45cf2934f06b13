"""Predict and draw the poses in an image, a folder of images or a video.

With the weights that come with the package, or a config and a checkpoint of
your own. One person is searched in each image, unless boxes are given. Writes
a drawn image under each image's own name, or a drawn MP4 of a video, and
predictions.json. Joints are in 0-based pixels: the centre of the top-left
pixel is (0, 0).
"""
import argparse
import sys
from pathlib import Path

from .arguments import (
    add_config_options,
    add_fast_argument,
    existing_file,
    positive_int,
)
from .errors import setting_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('input', help='image, folder of images or video')
    parser.add_argument(
        'config',
        nargs='?',
        type=existing_file,
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
        'given several times (default: one person is searched)')
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
        type=positive_int,
        default=16,
        help='images that go through the network at once (default: 16)')
    parser.add_argument(
        '--device', help='such as cpu or cuda:0 (default: a GPU if there is)')
    add_fast_argument(parser)
    add_config_options(parser)


def main(args: argparse.Namespace) -> None:
    """Load the model, predict, write the results."""
    with setting_up():
        if args.config is not None and args.checkpoint is None:
            raise ValueError(f'there is {args.config}, but no checkpoint: '
                             'give a config and its checkpoint, or neither '
                             'for the weights of the package')
        from ..weights import shipped_weights
        from .configs import load_config, write_json
        if args.config is None:
            args.config, args.checkpoint = shipped_weights()
        config = load_config(args.config, args.cfg_options)
        from ..inference.input_files import Video, open_input
        from ..inference.predictor import PosePredictor
        out = Path(args.out)
        source = open_input(args.input, out)
        if args.fast is not None:
            print('The first images wait for the compiler', file=sys.stderr)
        predictor = PosePredictor.from_pretrained(
            config,
            args.checkpoint,
            args.device,
            args.fast,
            boxes=args.bbox,
            score_threshold=args.score_threshold,
            batch_size=args.batch_size,
            is_whole_image=args.whole_image)
        if isinstance(source, Video):
            predictor.check_boxes(source.path, *source.size)
    failures: list[str] = []
    if isinstance(source, Video):
        records = predictor.predict_video(source, out)
    else:
        records, failures = predictor.predict_images(source, out)
    if records:
        write_json(
            str(out / 'predictions.json'),
            dict(
                config=args.config,
                checkpoint=args.checkpoint,
                joints=predictor.skeleton.joints,
                predictions=records))
        print(f'{len(records)} drawn, with predictions.json, in {out}')
    if failures:
        name = Path(sys.argv[0]).name
        sys.exit('\n'.join(f'{name}: error: {failure}'
                           for failure in failures))
