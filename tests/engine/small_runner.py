"""A real training of mmengine's runner that takes a second."""
import itertools

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample
from torch.utils.data import Dataset

import hourglass_plugin
import hourglass_plugin.compat.safe_checkpoints  # noqa: F401

# At depth 1 the sides of an image are multiples of 4 * 2.
SIZE = 32
KEYPOINTS = 3

# Two runners of one name and one second would share their log.
RUNNERS = itertools.count()


class NoisePeople(Dataset):
    """Images of noise, and noise to learn."""

    def __init__(self, length):
        self.metainfo = {}
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        sample = PoseDataSample(
            metainfo=dict(
                id=index,
                img_path=f'{index}.png',
                input_size=(SIZE, SIZE),
                input_center=np.full(2, SIZE / 2),
                input_scale=np.full(2, SIZE),
                flip_indices=list(range(KEYPOINTS))))
        sample.gt_instances = InstanceData(
            bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=torch.ones(1, KEYPOINTS))
        sample.gt_fields = PixelData(
            heatmaps=torch.rand(
                KEYPOINTS, SIZE // 4, SIZE // 4, generator=generator))
        image = torch.randint(
            256, (3, SIZE, SIZE), generator=generator, dtype=torch.uint8)
        return dict(inputs=image, data_samples=sample)


def small_model(**backbone):
    return dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(
            type='PoseDataPreprocessor',
            mean=[0] * 3,
            std=[255] * 3,
            bgr_to_rgb=True),
        backbone=dict(
            type='StackedHourglass',
            num_stacks=2,
            feat_channels=8,
            depth=1,
            num_keypoints=KEYPOINTS,
            **backbone),
        head=dict(
            type='MultiStageHeatmapHead',
            out_channels=KEYPOINTS,
            decoder=dict(
                type='HourglassHeatmap',
                input_size=(SIZE, SIZE),
                heatmap_size=(SIZE // 4, SIZE // 4))),
        test_cfg=dict(flip_test=True))


def small_runner(work_dir, name, epochs=2, people=7, backbone=None, **options):
    """A runner on batches of two: by default 4 iterations in each epoch, the
    last with a single person. ``options`` are the runner's, and ``cfg`` what
    it looks up in its config."""
    init_default_scope('mmpose')
    arguments = dict(
        model=small_model(**(backbone or {})),
        work_dir=str(work_dir),
        experiment_name=f'{name}_{next(RUNNERS)}',
        train_dataloader=dict(
            batch_size=2,
            # As in our configs; MMPose's stacks batches one image at a time.
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=NoisePeople(people)),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=3)),
        randomness=dict(seed=0),
        default_scope='mmpose')
    config = Config(options.pop('cfg', {}))
    default_hooks = {
        **arguments['default_hooks'],
        **options.pop('default_hooks', {})
    }
    arguments.update(options, default_hooks=default_hooks)
    return Runner(cfg=config, **arguments)
