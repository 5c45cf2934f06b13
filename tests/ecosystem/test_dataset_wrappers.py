"""Wrapped datasets: their samples, training and evaluation."""
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS
from mmpose_page import python_block

from hourglass_plugin.datasets.samplers import SampleIndex


@pytest.fixture
def config(reader, monkeypatch):
    """The reader's config, in the reader's folder."""
    monkeypatch.chdir(reader.folder)
    init_default_scope('mmpose')
    return Config.fromfile('my_people.py')


@pytest.fixture
def combined(config, reader):
    """The page's config of two datasets; MPII's are the same people."""
    path = reader.folder / 'combined.py'
    text = python_block('CombinedDataset')
    for old, new in (('data/mpii/', ''), ('annotations/', ''),
                     ('images/', 'my_images/')):
        text = text.replace(old, new)
    path.write_text(text)
    return Config.fromfile(str(path))


def train(config, work_dir):
    """Train one epoch; the runner and the metric of its evaluation."""
    config.work_dir = str(work_dir)
    runner = Runner.from_cfg(config)
    weights = list(runner.model.parameters())
    before = [weight.detach().clone() for weight in weights]
    runner.train()
    # All weights learn but biases before a norm, which have no effect.
    assert np.mean([bool((old != new).any())
                    for old, new in zip(before, weights)]) > 0.8
    return runner, runner.val_loop.evaluator.metrics[0]


def scores(runner, dataloader=None):
    """Scores of a validation, without its times."""
    if dataloader is not None:
        runner.val_loop.dataloader = Runner.build_dataloader(dataloader)
    return {name: value for name, value in runner.val_loop.run().items()
            if 'time' not in name}


def augmented(dataset, index, seed):
    """A person augmented by this seed: crop, keypoints, weights, flip."""
    packed = dataset[SampleIndex(index, (seed, 0, 0))]
    labels = packed['data_samples'].gt_instance_labels
    return (packed['inputs'].numpy(), labels.keypoint_labels.numpy(),
            labels.keypoint_weights.numpy(), packed['data_samples'].flip)


def test_converted_people_are_the_same_people(combined):
    dataset = DATASETS.build(combined.train_dataloader.dataset)
    assert len(dataset) == 10
    flipped, inside = set(), []
    for index in range(5):
        for seed in range(3):
            leeds = augmented(dataset, index, seed)
            mpii = augmented(dataset, index + 5, seed)
            assert (leeds[0] == mpii[0]).all()
            # MPII's are computed in float64.
            np.testing.assert_allclose(leeds[1], mpii[1], atol=1e-4)
            assert (leeds[2] == mpii[2]).all()
            inside.append(leeds[2].mean())
            flipped.add(leeds[3])
    assert flipped == {False, True}
    assert np.mean(inside) > 0.9  # few joints leave the crop


def test_combined_datasets_are_trained_and_evaluated(combined, tmp_path):
    """A converted part is evaluated as the part that it equals."""
    leeds, mpii = parts = combined.train_dataloader.dataset.datasets
    for part in parts:
        part.ann_file = part.ann_file.replace('train', 'val')
    combined.val_dataloader.dataset = dict(
        combined.train_dataloader.dataset, test_mode=True,
        pipeline=combined.val_dataloader.dataset.pipeline)
    combined.train_dataloader.dataset.datasets = [
        leeds, dict(type='RepeatDataset', times=2, dataset=mpii)]
    combined.default_hooks.visualization.update(
        enable=True, out_dir=str(tmp_path / 'pictures'))
    runner, metric = train(combined, tmp_path / 'work')
    assert len(runner.train_dataloader.dataset) == 15
    assert runner.iter == 4  # batches of four
    assert metric.dataset_meta['dataset_name'] == 'lsp'
    both = scores(runner)
    combined.val_dataloader.dataset.datasets = [leeds]
    assert 0 < both['lsp/PCK@1.5'] < 100
    assert scores(runner, combined.val_dataloader) == pytest.approx(both)
    assert list((tmp_path / 'pictures').rglob('*.jpg'))


def test_a_repeated_dataset_is_trained_and_evaluated(config, tmp_path):
    alone = config.val_dataloader.copy()
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset = dict(
            type='RepeatDataset', times=2, dataset=loader.dataset)
    # As docs/mmpose.md says.
    config.train_dataloader.collate_fn.type = 'pseudo_collate'
    runner, _ = train(config, tmp_path)
    assert runner.iter == 3  # ten people in batches of four
    twice = scores(runner)
    # Each person twice: the same means.
    assert scores(runner, alone)['lsp/PCK@1.5'] == pytest.approx(
        twice['lsp/PCK@1.5'])
