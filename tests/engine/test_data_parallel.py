"""Several processes learn what one does."""
import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from several_processes import in_processes
from small_runner import NoisePeople, small_runner
from torch.utils.data import DataLoader

from hourglass_plugin.datasets import SeededSampler
from hourglass_plugin.engine.data_parallel import (
    Share,
    leave_out_repeats,
    share_of_batch,
)

# Learnt together in a step: 6, 3 or 2 of each process.
BATCH = 6
LR = 0.01
WRAPPER = dict(
    type='WeightedDataParallel', device_ids=None, broadcast_buffers=False)


class Watch(Hook):
    """Keeps the losses of a training, and who was learnt."""

    def __init__(self):
        self.losses, self.people = [], []

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        self.losses.append([
            outputs[name].item()
            for name in ('loss', 'loss_stack_1', 'loss_stack_2')
        ])
        self.people.append(
            [sample.metainfo['id'] for sample in data_batch['data_samples']])


def train(rank, folder, processes, people, norm='SyncBN', **wrapper):
    """Two epochs; losses, people of each batch, weights and statistics."""
    watch = Watch()
    runner = small_runner(
        folder / str(processes),
        f'{processes}_{people}',
        backbone=dict(norm_cfg=dict(type=norm)),
        launcher='pytorch' if processes > 1 else 'none',
        cfg=dict(model_wrapper_cfg=WRAPPER),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=2),
        train_dataloader=dict(
            batch_size=BATCH // processes,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='SeededSampler', shuffle=True),
            dataset=NoisePeople(people)),
        optim_wrapper=dict(
            dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=LR)),
            **wrapper),
        custom_hooks=[watch])
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    return dict(
        losses=np.array(watch.losses),
        people=watch.people,
        state={name: value.numpy()
               for name, value in model.state_dict().items()})


def trainings(folder, processes, *arguments, **options):
    """What each process found."""

    def of_one(rank):
        return train(rank, folder, processes, *arguments, **options)

    if processes == 1:
        return [of_one(0)]
    return in_processes(folder / f'meeting_{processes}', processes, of_one)


# The last batch: one person, so that others have nobody; three; five.
@pytest.mark.parametrize('people, options, tolerance', [
    (13, {}, 1e-5),
    (9, dict(accumulative_counts=2), 1e-5),
    # A gradient is rounded to 8 bits in each process.
    (11, dict(type='BFloat16OptimWrapper'), 2**-8),
])
def test_losses_of_one_two_and_three_processes(tmp_path, people, options,
                                               tolerance):
    (one, ), two, three = (
        trainings(tmp_path, count, people, **options) for count in (1, 2, 3))
    assert len(one['losses']) == 2 * -(-people // BATCH)
    assert one['losses'][0, 0] > 1.005 * one['losses'][-1, 0] > 0
    for found in (two, three):
        for process in found:
            np.testing.assert_allclose(
                process['losses'], one['losses'], rtol=tolerance)
            if people % BATCH == 1:
                continue  # norms of one person magnify the weights' rounding
            for name, value in one['state'].items():
                np.testing.assert_allclose(
                    process['state'][name],
                    value,
                    rtol=10 * tolerance,
                    atol=10 * tolerance,
                    err_msg=name)
        for batch, learnt in enumerate(one['people']):
            shares = [process['people'][batch] for process in found]
            own = [share[:count] for share, count in zip(
                shares,
                [len(learnt[rank::len(found)]) for rank in range(len(found))])]
            assert own == [
                learnt[rank::len(found)] for rank in range(len(found))
            ]
            # Nobody is repeated, but for processes that have nobody.
            assert [len(share) for share in shares
                    ] == [max(len(share), 1) for share in own]


def test_without_synchronized_norms_weights_stay_equal(tmp_path):
    """The default: statistics of each process, one model."""
    one, other = trainings(tmp_path, 2, 9, norm='BN')
    np.testing.assert_array_equal(one['losses'], other['losses'])
    moved = [
        name for name in one['state']
        if not np.array_equal(one['state'][name], other['state'][name])
    ]
    assert moved and all('running_' in name for name in moved)


def predict(rank, folder, processes, people):
    """Predictions of random weights, as they are dumped."""
    out = folder / f'{processes}.pkl'
    runner = small_runner(
        folder / str(processes),
        f'predict_{processes}',
        cfg=dict(model_wrapper_cfg=WRAPPER),
        launcher='pytorch' if processes > 1 else 'none',
        test_dataloader=dict(
            batch_size=2,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
            dataset=NoisePeople(people)),
        test_cfg=dict(),
        test_evaluator=dict(type='DumpResults', out_file_path=str(out)))
    runner.test()


def test_predictions_are_in_the_order_of_the_data_set(tmp_path):
    found = []
    for count in (1, 2, 3):
        in_processes(tmp_path / f'meeting_{count}', count, predict, tmp_path,
                     count, 7)
        with open(tmp_path / f'{count}.pkl', 'rb') as file:
            found.append(pickle.load(file))
    one, two, three = found
    assert [sample['id'] for sample in one] == list(range(7))
    for others in (two, three):
        assert [sample['id'] for sample in others] == list(range(7))
        for sample, other in zip(one, others):
            mine, theirs = sample['pred_instances'], other['pred_instances']
            np.testing.assert_array_equal(mine['keypoints'],
                                          theirs['keypoints'])
            # Without flip test the last bits of an image alone may differ.
            np.testing.assert_allclose(mine['keypoint_scores'],
                                       theirs['keypoint_scores'], atol=1e-8)


@pytest.mark.parametrize('rank, shares', [
    (0, [(2, 6), (2, 6), (1, 2)]),
    (1, [(2, 6), (2, 6), (1, 2)]),
    (2, [(2, 6), (2, 6), (0, 2)]),
])
def test_shares_of_14_people(rank, shares):
    sampler = SeededSampler(range(14), seed=0)
    sampler.rank, sampler.world_size, sampler.num_samples = rank, 3, 5
    loader = DataLoader(range(14), 2, sampler=sampler)
    assert [share_of_batch(loader, index) for index in range(3)] == shares


def test_other_loaders_and_batches_are_left_alone():
    assert share_of_batch(DataLoader(range(4), 2, shuffle=True), 0) is None
    batch = pseudo_collate([dict(inputs=torch.ones(1), name='a')] * 3)
    leave_out_repeats(batch, Share(2, 5))
    assert len(batch['inputs']) == len(batch['name']) == 2
    leave_out_repeats(batch, Share(0, 1))
    assert len(batch['inputs']) == len(batch['name']) == 1
    pair = [torch.ones(3)]
    leave_out_repeats(pair, Share(1, 5))
    assert len(pair[0]) == 3
