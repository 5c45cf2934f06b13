"""Score the search for a person: true boxes, whole image, search.

Scores the people of a config's test set three times, PCK@0.2 in torso sizes,
in their images and pasted at a random size and place into others. Joints are
those that set and network have; of the people that are found the surest
counts:

    python docs/examples/score_search.py CONFIG

for the weights of the package, or with a checkpoint of the config.
"""
import argparse

import cv2
import numpy as np
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

import hourglass_plugin  # noqa: F401, registers its parts
from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.inference.pose_model import (
    build_pose_model,
    load_judge,
    predict_poses,
    search_people,
    whole_image,
)
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image
from hourglass_plugin.weights import shipped_weights


def has_torso(person):
    shown = person['keypoints_visible'][0] > 0
    return shown[LSP.indices(LSP.torso)].all()


def empty_image(people, rng, width, height):
    """The largest part of an image that a person is not in."""
    for least in (30, ) * 20 + (1, ):  # pixels; a strip shows little
        person = people[rng.integers(len(people))]
        image = read_image(person['img_path'])
        left, top, right, bottom = np.clip(person['bbox'][0], 0,
                                           [*image.shape[1::-1]] * 2)
        parts = [
            image[:, :int(left)], image[:, int(right):], image[:int(top)],
            image[int(bottom):]
        ]
        part = max(parts, key=lambda pixels: pixels.size)
        if min(part.shape[:2]) >= least:
            zoom = 1.01 * max(width / part.shape[1], height / part.shape[0])
            return cv2.resize(
                part, None, fx=zoom, fy=zoom,
                interpolation=cv2.INTER_CUBIC)[:height, :width]
    raise ValueError('every person fills all of the image')


def paste(person, image, people, rng):
    """The person, a fifth to nine tenths of the height, in another image."""
    width, height = rng.integers(500, 900, 2)
    size = person['bbox_scale'][0, 0]
    zoom = min(width, height) * np.exp(
        rng.uniform(np.log(0.2), np.log(0.9))) / size
    small = cv2.resize(image, None, fx=zoom, fy=zoom)
    center, half = person['bbox_center'][0] * zoom, 0.6 * size * zoom
    low = np.maximum(center - half, 0).astype(int)
    high = np.minimum(center + half, small.shape[1::-1]).astype(int)
    high = np.minimum(high, low + (width, height))
    x, y = rng.integers(0, np.array([width, height]) - (high - low) + 1)
    picture = empty_image(people, rng, width, height)
    picture[y:y + high[1] - low[1],
            x:x + high[0] - low[0]] = small[low[1]:high[1], low[0]:high[0]]
    return picture, zoom, np.array([x, y]) - low


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--people', type=int, default=200)
    args = parser.parse_args()
    config = load_config(args.config)
    settings, path = (shipped_weights() if args.checkpoint is None else
                      (args.config, args.checkpoint))
    weights = read_checkpoint(path)
    model = build_pose_model(load_config(settings), weights, path, 'cpu')
    judge = load_judge(weights)
    init_default_scope('mmpose')
    dataset = DATASETS.build(dict(config.test_dataloader.dataset, pipeline=[]))
    ids = model.dataset_meta['keypoint_name2id']
    pairs = [(index, ids[name]) for index, name in enumerate(LSP.joints)
             if name in ids]
    annotated, predicted = map(list, zip(*pairs))
    people = [person for person in dataset if has_torso(person)]
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(people))[:args.people]
    for where in ('in their images', 'pasted into others'):
        right = {'true box': [], 'whole image': [], 'search': []}
        for person in (people[index] for index in chosen):
            image, zoom, shift = read_image(person['img_path']), 1, 0
            if where == 'pasted into others':
                image, zoom, shift = paste(person, image, people, rng)
            shown = person['keypoints_visible'][0] > 0
            truth = person['keypoints'][0] * zoom + shift
            torso = np.linalg.norm(
                np.subtract(*truth[LSP.indices(LSP.torso)]))
            center = person['bbox_center'][0] * zoom + shift
            half = person['bbox_scale'][0] * zoom / 2
            box = search_people(model, judge, image)[:1]
            boxes = [[*(center - half), *(center + half)],
                     *whole_image(image), *box]
            poses, = predict_poses(model, [image],
                                   [np.array(boxes, np.float32)])
            for name, pose in zip(right, poses):
                distances = np.linalg.norm(
                    pose.keypoints[predicted] - truth[annotated], axis=1)
                right[name] += list(
                    distances[shown[annotated]] <= 0.2 * torso)
        print(f'{len(chosen)} people {where}, PCK@0.2:', ', '.join(
            f'{name} {100 * np.mean(hits):.1f}'
            for name, hits in right.items()))


if __name__ == '__main__':
    main()
