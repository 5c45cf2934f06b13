"""A sample's augmentation follows from seed, epoch and position alone."""
import pickle
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
def dataset(tmp_path):
    """Seven people in one image of noise."""
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'a.jpg'), noise)
    write_json(tmp_path / 'a.json', [
        entry(LSP, seed, image='a.jpg', center=[45, 45], scale=0.3)
        for seed in range(7)])
    return dict(
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


def test_numpy_and_python_begin_anew():
    """At what NumPy itself makes of the three numbers."""
    index = SampleIndex(5, (3, 1, 7))
    mixed = int(np.random.SeedSequence((3, 1, 7)).generate_state(1)[0])
    for _ in range(2):
        SeedAugmentation()(dict(sample_idx=index))
        assert np.random.rand() == np.random.RandomState(mixed).rand()
        assert random.random() == random.Random(mixed).random()


def crops(dataset, epoch, workers=0, seed=3, shuffle=True, sampler='Seeded'):
    """{position in the dataset and place in the epoch: crop}."""
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=workers,
            persistent_workers=workers > 0,
            sampler=dict(type=f'{sampler}Sampler', shuffle=shuffle),
            dataset=dataset),
        seed=seed)
    loader.sampler.set_epoch(epoch)
    order = [int(index) for index in loader.sampler]
    images = [image.numpy() for batch in loader for image in batch['inputs']]
    return dict(zip(order, images)), order, loader


def equal(first, second):
    assert first.keys() == second.keys()
    return [bool((first[key] == second[key]).all()) for key in first]


def test_number_of_workers_and_restarts_do_not_matter(dataset):
    alone, order, _ = crops(dataset, epoch=2)
    assert sorted(order) == list(range(7))
    np.random.seed(99)  # what else draws numbers in the process
    for workers in (0, 1, 3):
        again, same_order, _ = crops(dataset, epoch=2, workers=workers)
        assert same_order == order
        assert all(equal(alone, again))


def test_workers_that_live_on_follow_the_epoch(dataset):
    """Loader processes are not told the epoch; the positions tell them."""
    _, _, loader = crops(dataset, epoch=0, workers=2)
    loader.sampler.set_epoch(1)
    order = list(loader.sampler)
    images = [image.numpy() for batch in loader for image in batch['inputs']]
    fresh, _, _ = crops(dataset, epoch=1)
    assert all(equal(dict(zip(map(int, order), images)), fresh))


def test_seed_and_epoch_and_position_matter(dataset):
    first, _, _ = crops(dataset, epoch=0)
    for options in (dict(epoch=1), dict(epoch=0, seed=4)):
        assert not any(equal(first, crops(dataset, **options)[0]))
    # The same person three times over: three different augmentations.
    repeated = dict(type='RepeatDataset', times=3, dataset=dataset)
    images, order, _ = crops(repeated, epoch=0, shuffle=False)
    assert order == list(range(21))
    for person in range(7):
        first, second, third = (images[person + n] for n in (0, 7, 14))
        assert not (first == second).all() and not (second == third).all()


@pytest.mark.parametrize('wrapper', [
    lambda inner: dict(type='RepeatDataset', times=2, dataset=inner),
    lambda inner: dict(type='ConcatDataset', datasets=[inner, inner]),
    lambda inner: dict(type='CombinedDataset', metainfo=LSP.metainfo(),
                       datasets=[inner, inner])])
def test_wrapped_datasets_are_seeded_too(dataset, wrapper):
    first, _, _ = crops(wrapper(dataset), epoch=0, workers=2)
    second, _, _ = crops(wrapper(dataset), epoch=0)
    assert len(first) == 14 and all(equal(first, second))


def test_without_the_sampler_nothing_is_seeded(dataset):
    first, second = (crops(dataset, epoch=0, sampler='Default')[0]
                     for _ in range(2))
    assert not any(equal(first, second))


def test_positions_survive_pickling_and_arithmetic():
    index = SampleIndex(9, (1, 2, 9))
    for same in (pickle.loads(pickle.dumps(index)), index % 7 + 7 - 0):
        assert same == 9
    assert pickle.loads(pickle.dumps(index)).seed == (1, 2, 9)
    assert (index % 7, (index % 7).seed) == (2, (1, 2, 9))
    assert (index - 3, (index - 3).seed) == (6, (1, 2, 9))


def test_number_of_training_processes_does_not_matter(monkeypatch):
    """Each of two processes takes every other person, with the seeds that one
    process gives."""

    def seeds(rank, world_size):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info',
                            lambda: (rank, world_size))
        sampler = SeededSampler(range(9), shuffle=True, seed=5)
        sampler.set_epoch(4)
        return {int(index): index.seed for index in sampler}

    alone, first, second = seeds(0, 1), seeds(0, 2), seeds(1, 2)
    assert alone == {index: (5, 4, index) for index in range(9)}
    assert {**first, **second} == alone
    # 10 places for 9 people: one of them is there twice.
    assert len(first) == len(second) == 5 and len({**first, **second}) == 9
