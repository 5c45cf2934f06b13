"""A sample's augmentation follows from seed, epoch and position alone."""
import random

import cv2
import numpy as np
import pytest
from mmengine.runner import Runner
from pose_files import entry, write_json

from hourglass_plugin.datasets.samplers import SampleIndex, SeededSampler
from hourglass_plugin.skeletons import LSP
from hourglass_plugin.transforms import SeedAugmentation


@pytest.fixture
def build(tmp_path):
    """Build a loader of seven people in one image of noise."""
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'a.jpg'), noise)
    write_json(tmp_path / 'a.json', [
        entry(LSP, seed, image='a.jpg', center=[45, 45], scale=0.3)
        for seed in range(7)])
    people = dict(
        type='HourglassLSPDataset',
        data_root=str(tmp_path),
        ann_file='a.json',
        data_prefix=dict(img=''),
        pipeline=[
            dict(type='SeedAugmentation'),
            dict(type='GetBBoxCenterScale', padding=1.25),
            dict(type='RandomHorizontalFlip'),
            dict(type='RandomScaleRotation'),
            dict(type='TopdownCrop', input_size=(32, 32),
                 reduced_decoding=True),
            dict(type='RandomChannelGain'),
            dict(type='PackPoseInputs')])

    def build(workers=0, seed=3, wrap=lambda people: people, **sampler):
        return Runner.build_dataloader(
            dict(
                batch_size=2,
                num_workers=workers,
                persistent_workers=workers > 0,
                sampler={'type': 'SeededSampler', 'shuffle': True, **sampler},
                dataset=wrap(people)),
            seed=seed)

    return build


def crops(loader, epoch=0):
    """Crops in the dataset's order."""
    loader.sampler.set_epoch(epoch)
    order = [int(index) for index in loader.sampler]
    assert sorted(order) == list(range(len(loader.dataset)))
    images = [image.numpy() for batch in loader for image in batch['inputs']]
    return np.stack(images)[np.argsort(order)]


def equal(first, second):
    """One bool per crop."""
    return (first == second).all(axis=(1, 2, 3))


def test_numpy_and_python_begin_anew():
    """At what NumPy itself makes of the three numbers."""
    index = SampleIndex(5, (3, 1, 7))
    mixed = int(np.random.SeedSequence((3, 1, 7)).generate_state(1)[0])
    for _ in range(2):
        SeedAugmentation()(dict(sample_idx=index))
        assert np.random.rand() == np.random.RandomState(mixed).rand()
        assert random.random() == random.Random(mixed).random()


def test_number_of_workers_and_restarts_do_not_matter(build):
    """Loader processes that live on are not told the epoch; the positions
    tell them."""
    alone = [crops(build(), epoch) for epoch in (1, 2)]
    np.random.seed(99)  # what else draws numbers in the process
    for workers in (0, 1, 3):
        loader = build(workers)
        for epoch, images in enumerate(alone, 1):
            assert equal(crops(loader, epoch), images).all()


def test_seed_and_epoch_and_position_matter(build):
    first = crops(build())
    for others in (crops(build(), epoch=1), crops(build(seed=4))):
        assert not equal(first, others).any()
    # The same person three times over: three different augmentations.
    images = crops(build(wrap=lambda people: dict(
        type='RepeatDataset', times=3, dataset=people)))
    for one, other in ((0, 7), (7, 14), (0, 14)):
        assert not equal(images[one:one + 7], images[other:other + 7]).any()


def test_without_the_sampler_nothing_is_seeded(build):
    first, second = (crops(build(type='DefaultSampler')) for _ in range(2))
    assert not equal(first, second).any()


def test_number_of_training_processes_does_not_matter(monkeypatch):
    """Each of two processes takes every other person, with its own seed."""
    seeds = {}
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info',
                            lambda rank=rank: (rank, 2))
        sampler = SeededSampler(range(9), shuffle=True, seed=5)
        sampler.set_epoch(4)
        seeds.update({int(index): index.seed for index in sampler})
    assert seeds == {index: (5, 4, index) for index in range(9)}
