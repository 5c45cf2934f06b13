"""Settings of a training, chosen from the labels and the machine."""
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from .project import box_of, fills_images, never_flipped
from .table import KeypointNames, LabeledImage

#: Longer sides of the network's input, in pixels.
SIDES = (256, 192, 128)
#: Epochs after which little is learnt, and below which a smaller input gives
#: more.
EPOCHS, FEW_EPOCHS = 300, 40
#: Iterations that are enough for one kind of animal.
ITERATIONS = 10_000
#: The share of a training's time that is not validation or loading.
BUSY = 0.6


def choose_settings(train: Sequence[LabeledImage], keypoints: KeypointNames,
                    backbone: dict, minutes: float | None) -> dict[str, Any]:
    """Choose input size, stacks, epochs, batch and augmentation.

    Args:
        train: the images to train on.
        keypoints: of the labels.
        backbone: settings of the network that the weights are of.
        minutes: to train; by default 15 on CPUs and 60 on a GPU.

    Returns:
        The fields of ``config.py.jinja``; ``why_...`` are its comments.
    """
    import torch
    gpu = torch.cuda.is_available()
    machine = (torch.cuda.get_device_name() if gpu else
               f'{len(os.sched_getaffinity(0))} CPUs'
               if hasattr(os, 'sched_getaffinity') else
               f'{os.cpu_count()} CPUs')
    minutes = minutes or (60 if gpu else 15)
    count = sum(len(image.people) for image in train)
    stacks = 1 if count < 30 else backbone['num_stacks']
    whole = fills_images(train)
    flip = not (whole and never_flipped(train, keypoints))
    padding = 1.0 if whole else 1.25
    sizes = np.array([
        image.size if whole else (max((person.box or box_of(
            image, person.points))[2:]), ) * 2
        for image in train for person in image.people])
    crop = padding * np.median(sizes, axis=0)
    speed = seconds_per_image(dict(backbone, num_stacks=stacks), gpu)
    for side in SIDES:
        epochs = 60 * BUSY * minutes / (speed * count * (side / 128)**2)
        if epochs >= FEW_EPOCHS and side <= 1.3 * max(crop):
            break
    batch = 16 if count >= 160 else max(count // 10, 2)
    longest = min(EPOCHS, ITERATIONS * batch // count)
    epochs = int(np.clip(epochs, 1, max(longest, 10)))
    aspect = np.sqrt(crop[0] / crop[1])
    width, height = (
        max(round(side * factor / 64), 1) * 64
        for factor in (aspect, 1 / aspect))
    validations = min(epochs, 20)
    return dict(
        max_epochs=epochs,
        val_interval=epochs // validations,
        patience=8,
        log_interval=max(count // batch, 1),
        input_size=(width, height),
        heatmap_size=(width // 4, height // 4),
        backbone=dict(backbone, num_stacks=stacks,
                      num_keypoints=len(keypoints.names)),
        batch_size=batch,
        flip=flip,
        whole_image=whole,
        padding=padding,
        scale_factor=0.15 if whole else 0.25,
        rotation_factor=15 if whole else 30,
        why_epochs=f'{count} samples on {machine}, {1e3 * speed:.0f} ms each '
        f'at 128x128: about {minutes:g} minutes (--minutes), and not more '
        f'than {EPOCHS} epochs.',
        why_input=f'A crop is {crop[0]:.0f}x{crop[1]:.0f} pixels at the '
        f'median; the larger of {SIDES} that has pixels for it and time for '
        f'{FEW_EPOCHS} epochs. Multiples of 64.',
        why_stacks='Fewer than 30 samples: one stack has less to learn.'
        if stacks == 1 else f'As many stacks as the weights have: {stacks}. '
        'More are slower, and need thousands of samples.',
        why_flip='A flipped image is averaged in: left and right swap.'
        if flip else 'The camera never sees this pose flipped: no flips, here '
        'or in training.',
        why_box='One animal that fills the image: the box is the whole image, '
        'and nothing is searched.' if whole else 'Crops around the animals, '
        'with a quarter of their size around.',
        why_batch='Ten batches or more an epoch, up to 16 samples each.')


def seconds_per_image(backbone: dict, gpu: bool) -> float:
    """Measure a training step of a network on this machine.

    Args:
        backbone: settings of the network.
        gpu: measure on the GPU.

    Returns:
        Seconds for an image of 128x128 pixels.
    """
    import torch

    from hourglass_plugin.models.stacked_hourglass import StackedHourglass
    settings = {key: value for key, value in backbone.items()
                if key not in ('type', 'init_cfg')}
    device = torch.device('cuda' if gpu else 'cpu')
    network = StackedHourglass(**settings).to(device).train()
    images = torch.rand(8, 3, 128, 128, device=device)
    times = []
    for _ in range(4):  # the first one warms up, others may be disturbed
        start = time.perf_counter()
        sum(each.square().mean() for each in network(images)).backward()
        if gpu:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times) / len(images)
