"""Predict and draw the poses in an image, a folder of images or a video.

With the weights that come with the package, which find everybody, or a config
and a checkpoint of your own: then one person or object is searched in each
image, unless boxes or a detector are given. Writes a drawn image under each
image's own name, or a drawn MP4 of a video, in which people keep their number,
and predictions.json. Joints are in 0-based pixels: the centre of the top-left
pixel is (0, 0).
"""
import argparse
import json
import sys
from collections.abc import Sequence
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
    parser.add_argument(
        'input', nargs='?', help='image, folder of images or video')
    parser.add_argument(
        'config', nargs='?', type=existing_file,
        help='config file (default: with the weights of the package)')
    parser.add_argument(
        'checkpoint', nargs='?', help='checkpoint of this config')
    parser.add_argument(
        '-o', '--out', default='predictions',
        help='folder for the results (default: predictions)')
    parser.add_argument(
        '--source', metavar='INPUT',
        help='the input, or a camera: 0 is the first; Ctrl+C ends it')
    parser.add_argument(
        '--show', action='store_true',
        help='show the results in a window; Q ends it')
    parser.add_argument(
        '--coco', action='store_true',
        help="write predictions_coco.json, too: a dataset in COCO's format")
    parser.add_argument(
        '--csv', action='store_true', help='write predictions.csv, too')
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--bbox', nargs=4, type=float, action='append',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='box of a person: left, top, right, bottom in pixels; may be '
        'given several times')
    where.add_argument(
        '--bbox-file', type=existing_file,
        help='JSON: {"image.jpg": [[X1, Y1, X2, Y2], ...], ...}, boxes of '
        'each image of a folder, in pixels')
    where.add_argument(
        '--detector', nargs=2, metavar=('CONFIG', 'CHECKPOINT'),
        help="config and checkpoint of one of MMDetection's detectors, which "
        'finds all people')
    where.add_argument(
        '--whole-image', action='store_true',
        help='the images are crops, of one person each')
    parser.add_argument(
        '--score-threshold', type=float, default=0.2,
        help='joints with lower scores are not drawn (default: 0.2); the '
        'JSON has them all')
    parser.add_argument(
        '--batch-size', type=positive_int, default=16,
        help='images that go through the network at once (default: 16)')
    parser.add_argument(
        '--device', help='such as cpu or cuda:0 (default: a GPU if there is)')
    add_fast_argument(parser)
    add_config_options(parser)


def _read_boxes(file: str, images: Sequence[Path]) -> list[list]:
    """Return the boxes of each image from a JSON file."""
    try:
        boxes = json.loads(Path(file).read_text('utf-8'))
        return [boxes[image.name] for image in images]
    except KeyError as error:
        raise ValueError(f'{file} has no boxes for {error}: write [] where '
                         'an image has no people') from None
    except (ValueError, TypeError) as error:
        raise ValueError(f'{file} must be JSON, {{"image.jpg": [[X1, Y1, X2, '
                         f'Y2], ...]}}: {error}') from None


def main(args: argparse.Namespace) -> None:
    """Load the model, predict, write the results."""
    with setting_up():
        if args.source is not None:  # without an input, config comes first
            if args.checkpoint is not None:
                raise ValueError('give an input or --source, not both')
            args.checkpoint, args.config = args.config, args.input
            args.input = args.source
        if args.input is None:
            raise ValueError('give an image, a folder, a video or --source')
        from ..weights import shipped_weights
        from .configs import load_config, write_json
        if args.config is None:
            args.config, args.checkpoint = shipped_weights()
        config = load_config(args.config, args.cfg_options)
        from ..inference import prediction_files, results
        from ..inference.input_files import Video, open_input
        from ..inference.predictor import PosePredictor
        from ..visualization.image_files import check_windows
        out = Path(args.out)
        is_camera = args.source is not None and args.source.isdecimal()
        source = open_input(int(args.input) if is_camera else args.input, out)
        if args.show:
            check_windows()
        detector = None
        if args.detector is not None:
            from ..inference.person_detector import mmdet_detector
            detector = mmdet_detector(args.detector[0], args.detector[1],
                                      args.device or 'cpu')
        predictor = PosePredictor(
            config, args.checkpoint, args.device, args.fast, boxes=args.bbox,
            detector=detector, score_threshold=args.score_threshold,
            batch_size=args.batch_size, is_whole_image=args.whole_image)
        boxes = None
        if isinstance(source, Video):
            predictor.check_boxes(source.path, *source.size)
        elif args.bbox_file is not None:
            boxes = _read_boxes(args.bbox_file, source)
    failures: list[str] = []
    if isinstance(source, Video):
        found = prediction_files.predict_video(predictor, source, out,
                                               args.show)
    else:
        found, failures = prediction_files.predict_images(
            predictor, source, out, args.show, boxes)
    if found:
        names = predictor.keypoint_names
        write_json(str(out / 'predictions.json'), dict(
            config=args.config, checkpoint=args.checkpoint, joints=names,
            predictions=[each.to_json() for each in found]))
        if args.coco:
            write_json(str(out / 'predictions_coco.json'), results.to_coco(
                found, names, predictor.skeleton.limb_indices))
        if args.csv:
            results.write_csv(out / 'predictions.csv', found, names)
        people = sum(len(each.people) for each in found)
        print(f'{len(found)} drawn with {people} people in {out}')
    if failures:
        name = Path(sys.argv[0]).name
        sys.exit('\n'.join(f'{name}: error: {failure}'
                           for failure in failures))
