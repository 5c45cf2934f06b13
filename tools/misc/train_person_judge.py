#!/usr/bin/env python
"""Train the small network that finds people by a pose network.

See hourglass_plugin/inference/person_search.py. The pose network predicts in
windows of the training images of its config; the judge learns how well these
poses fit annotated people, and where the people's boxes are. Writes the
checkpoint with the judge beside the weights. A fifth of the images is held
back, and scored in the end.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import arguments, errors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument(
        'checkpoint', type=arguments.existing_file,
        help='checkpoint of this config')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--boxes', type=arguments.existing_file,
        help="everybody's boxes in COCO's images: only there poses that fit "
        'no person are known to be wrong')
    parser.add_argument(
        '--images', type=int, default=1600,
        help="of COCO's, at most; a quarter as many of the other sets "
        '(default: 1600)')
    parser.add_argument(
        '--fast', choices=['float32', 'bfloat16'],
        help='run the network in OpenVINO')


def main(args: argparse.Namespace) -> None:
    """Learn from the images, score, and write the file."""
    with errors.setting_up():
        import numpy as np
        import torch
        from person_judges import (
            Poses,
            collect,
            flipped,
            ranked_right,
            read_images,
            train,
        )

        from hourglass_plugin.atomic_files import atomic_file
        from hourglass_plugin.cli.configs import load_config
        from hourglass_plugin.inference.engines import accelerate
        from hourglass_plugin.inference.pose_model import build_pose_model
        from hourglass_plugin.models.weights.loading import read_checkpoint
        config = load_config(args.config)
        checkpoint = read_checkpoint(args.checkpoint)
        model = build_pose_model(config, checkpoint, args.checkpoint, 'cpu')
        rng = np.random.default_rng(0)
        images = read_images(config, args.boxes, args.images, rng)
    if args.fast is not None:
        model.backbone = accelerate(model.backbone, args.fast)
    images = [images[index] for index in rng.permutation(len(images))]
    collected = collect(model, images, rng)
    held = len(collected) // 5
    kept, test = (Poses(*map(torch.cat, zip(*part)))
                  for part in (collected[held:], collected[:held]))
    both = (kept, flipped(kept, model.dataset_meta['flip_indices']))
    judge = train(Poses(*map(torch.cat, zip(*both))))
    with torch.no_grad():
        _, logits = judge(*test[:3])
    is_right = test.fits > 0.5
    print(f'{len(kept.fits)} poses learnt; of {len(is_right)} held back a '
          'right one is before a wrong one in '
          f'{100 * ranked_right(logits, is_right):.1f} % of pairs, by mean '
          f'score in {100 * ranked_right(test.scores.mean(1), is_right):.1f}')
    checkpoint['person_judge'] = judge.state_dict()
    with atomic_file(args.target) as partial:
        torch.save(checkpoint, partial)


if __name__ == '__main__':
    errors.run_command(sys.modules[__name__])
