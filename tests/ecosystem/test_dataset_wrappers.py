"""Data sets in wrappers: what comes out of them, training and evaluation."""
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS
from mmpose_page import python_block

from hourglass_plugin.cli.runner import build_loops, build_runner
from hourglass_plugin.datasets.samplers import SampleIndex
from hourglass_plugin.skeletons import LSP


@pytest.fixture
def config(reader, monkeypatch):
    """The reader's config, in the reader's folder."""
    monkeypatch.chdir(reader.folder)
    init_default_scope('mmpose')
    return Config.fromfile('my_people.py')


@pytest.fixture
def combined(config, reader):
    """The page's config of two data sets; MPII's are the same people."""
    path = reader.folder / 'combined.py'
    path.write_text(
        python_block('CombinedDataset').replace('data/mpii/', '').replace(
            'annotations/', '').replace('images/', 'photographs/'))
    return Config.fromfile(str(path))


def train(config, work_dir):
    """A training of one epoch and its scores, by the tools' runner."""
    config.work_dir = str(work_dir)
    runner = build_runner(config)
    build_loops(runner, 'train', 'val')
    before = [
        weight.detach().clone() for weight in runner.model.parameters()
    ]
    runner.train()
    # Every weight learns, but for biases before a norm, which have no effect.
    moved = [
        bool((old != new).any())
        for old, new in zip(before, runner.model.parameters())
    ]
    assert np.mean(moved) > 0.8
    return runner, runner.val_loop.evaluator.metrics[0]


def person(dataset, index, seed):
    """A person augmented by this seed: crop, keypoints, weights, mirrored."""
    packed = dataset[SampleIndex(index, (seed, 0, 0))]
    labels = packed['data_samples'].gt_instance_labels
    return (packed['inputs'].numpy(), labels.keypoint_labels.numpy(),
            labels.keypoint_weights.numpy(), packed['data_samples'].flip)


def test_converted_people_are_the_same_people(combined):
    dataset = DATASETS.build(combined.train_dataloader.dataset)
    assert len(dataset) == 10
    mirrored, inside = set(), []
    for index in range(5):
        for seed in range(3):
            leeds = person(dataset, index, seed)
            mpii = person(dataset, index + 5, seed)
            assert (leeds[0] == mpii[0]).all()
            # MPII's are computed in float64.
            np.testing.assert_allclose(leeds[1], mpii[1], atol=1e-4)
            assert (leeds[2] == mpii[2]).all()
            inside.append(leeds[2].mean())
            mirrored.add(leeds[3])
    assert mirrored == {False, True}
    assert np.mean(inside) > 0.9  # few joints leave the crop


def test_training_and_evaluation_of_combined_data_sets(combined, tmp_path):
    """A converted part is evaluated as the part that it equals."""
    parts = combined.train_dataloader.dataset.datasets
    for part in parts:
        part.ann_file = part.ann_file.replace('train', 'val')
    leeds, mpii = parts
    combined.val_dataloader.dataset = dict(
        combined.train_dataloader.dataset,
        test_mode=True,
        pipeline=combined.val_dataloader.dataset.pipeline)
    combined.train_dataloader.dataset.datasets = [
        leeds,
        dict(type='RepeatDataset', times=2, dataset=mpii)
    ]
    combined.default_hooks.visualization.update(
        enable=True, out_dir=str(tmp_path / 'pictures'))
    runner, metric = train(combined, tmp_path / 'work')
    assert len(runner.train_dataloader.dataset) == 15
    assert runner.iter == 4  # batches of four
    assert metric.dataset_meta['dataset_name'] == 'lsp'
    scores = runner.val_loop.run()
    combined.val_dataloader.dataset.datasets = [leeds]
    alone = Runner.build_dataloader(combined.val_dataloader)
    runner.val_loop.dataloader = alone
    assert 0 < scores['lsp/PCK@1.5'] < 100
    assert {
        name: pytest.approx(value)
        for name, value in scores.items() if 'time' not in name
    } == {
        name: value
        for name, value in runner.val_loop.run().items()
        if 'time' not in name
    }
    assert (tmp_path / 'pictures' / 'epoch_001' / 'sheet.jpg').is_file()


def test_parts_with_pipelines_of_their_own(config, tmp_path):
    people = config.train_dataloader.dataset
    config.train_dataloader.dataset = dict(
        type='CombinedDataset',
        metainfo=LSP.metainfo(),
        datasets=[people, people])
    # As the page says.
    config.merge_from_dict(
        {'train_dataloader.collate_fn.type': 'pseudo_collate'})
    runner, _ = train(config, tmp_path)
    assert len(runner.train_dataloader.dataset) == 10


@pytest.mark.parametrize('wrapper', [
    lambda people: dict(type='RepeatDataset', times=2, dataset=people),
    lambda people: dict(type='ConcatDataset', datasets=[people, people]),
], ids=['repeat', 'concat'])
def test_wrapped_data_sets_are_trained_and_evaluated(config, wrapper,
                                                     tmp_path):
    alone = config.val_dataloader.copy()
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset = wrapper(loader.dataset)
    runner, _ = train(config, tmp_path)
    assert runner.iter == 3  # ten people in batches of four
    twice = runner.val_loop.run()
    runner.val_loop.dataloader = Runner.build_dataloader(alone)
    # Everybody twice: the same means.
    assert twice['lsp/PCK@1.5'] == pytest.approx(
        runner.val_loop.run()['lsp/PCK@1.5'])


def test_repetitions_are_augmented_anew_and_alike_when_repeated(combined):
    repeated = combined.train_dataloader.dataset
    repeated.datasets[1] = dict(
        type='RepeatDataset', times=3, dataset=repeated.datasets[1])
    combined.train_dataloader.dataset = dict(
        type='RepeatDataset', times=2, dataset=repeated)

    def crops(workers):
        combined.train_dataloader.num_workers = workers
        loader = Runner.build_dataloader(combined.train_dataloader, seed=0)
        order = [int(index) for index in loader.sampler]
        images = [
            image for batch in loader for image in batch['inputs'].numpy()
        ]
        return [image for _, image in sorted(
            zip(order, images), key=lambda pair: pair[0])]

    images = crops(workers=0)
    assert len(images) == 2 * (5 + 3 * 5)
    # The person 0 twice from Leeds, six times from MPII.
    copies = [
        images[index] for index in (0, 5, 10, 15, 20, 25, 30, 35)
    ]
    for first in range(8):
        for second in range(first):
            assert (copies[first] != copies[second]).any()
    assert all((first == second).all()
               for first, second in zip(images, crops(workers=2)))
