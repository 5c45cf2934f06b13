"""A real training of mmengine's runner that takes a second."""
import itertools
import os
import signal

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from small_estimator import CODEC as CODEC_OF_64
from small_estimator import HEAD, empty_sample
from torch.utils.data import Dataset

import hourglass_plugin
import hourglass_plugin.compat.safe_checkpoints  # noqa: F401

# At depth 1 the sides of an image are multiples of 4 * 2.
SIZE = 32
KEYPOINTS = 3
CODEC = dict(
    CODEC_OF_64, input_size=(SIZE, SIZE), heatmap_size=(SIZE // 4, SIZE // 4))

# Two runners of one name and one second would share their log.
RUNNERS = itertools.count()


class NoisePeople(Dataset):
    """Images of noise, and noise to learn.

    Each draws a random number, as augmentation without seeds does.
    """

    def __init__(self, length):
        self.metainfo = {}
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        torch.rand(())
        generator = torch.Generator().manual_seed(index)
        sample = empty_sample(SIZE)
        sample.set_metainfo(dict(
            id=index, img_path=f'{index}.png',
            flip_indices=list(range(KEYPOINTS))))
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=torch.ones(1, KEYPOINTS))
        sample.gt_fields = PixelData(
            heatmaps=torch.rand(
                KEYPOINTS, SIZE // 4, SIZE // 4, generator=generator))
        image = torch.randint(
            256, (3, SIZE, SIZE), generator=generator, dtype=torch.uint8)
        return dict(inputs=image, data_samples=sample)


@HOOKS.register_module()
class SigtermHook(Hook):
    """Sends SIGTERM to this process after an iteration, counted from 1."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        if runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGTERM)


def loader(dataset, sampler='DefaultSampler', shuffle=False, **options):
    """A data loader's config; of a number of people, or of a dataset."""
    if isinstance(dataset, int):
        dataset = NoisePeople(dataset)
    return dict(
        batch_size=2,
        # As in our configs; MMPose's stacks batches one image at a time.
        collate_fn=dict(type='default_collate'),
        sampler=dict(type=sampler, shuffle=shuffle),
        dataset=dataset,
        **options)


def small_model():
    return dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(
            type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3,
            bgr_to_rgb=True),
        backbone=dict(
            type='StackedHourglass', num_stacks=2, feat_channels=8, depth=1,
            num_keypoints=KEYPOINTS),
        head=dict(HEAD, decoder=CODEC),
        test_cfg=dict(flip_test=True))


def small_runner(work_dir, name, epochs=2, people=7, **options):
    """A runner on batches of two: by default 4 iterations in each epoch, the
    last with a single person. ``options`` are the runner's."""
    init_default_scope('mmpose')
    hooks = options.pop('default_hooks', {})
    settings = dict(
        model=small_model(),
        train_dataloader=loader(people, shuffle=True),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)),
        randomness=dict(seed=0))
    return Runner(
        cfg=Config({}),
        work_dir=str(work_dir),
        experiment_name=f'{name}_{next(RUNNERS)}',
        default_hooks={'logger': dict(type='LoggerHook', interval=3), **hooks},
        default_scope='mmpose',
        **{**settings, **options})
