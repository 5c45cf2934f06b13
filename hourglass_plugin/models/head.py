"""The head of the stacked hourglass: every stack against the same target.

Shape shorthand: B batch, S stacks, K keypoints, C channels, H W heatmap size.
"""
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.model import normal_init
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads.base_head import BaseHead
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import Tensor, nn

from ..codecs.heatmaps import heatmap_maximum
from .consistency import check_codec, flip_shift


@MODELS.register_module()
class MultiStageHeatmapHead(BaseHead):
    """Heatmaps of several stacks, each with its own loss (section 3.3).

    On a backbone that predicts heatmaps itself (``StackedHourglass`` with
    ``num_keypoints``) the head has no weights. With ``in_channels`` it has a
    1x1 convolution per stack, for backbones that return features, as MMPose's
    ``HourglassNet``.

    The loss of stack i is logged as ``loss_stack_i``, from 1; training
    minimises their sum. Heatmaps of lower resolution before a stack's own
    (``inner_heatmaps``) are trained too, against the target pooled by maximum,
    as ``loss_stack_i_16x16`` and so on; with the stack's weight.

    Flip test (``test_cfg=dict(flip_test=True)``) averages the heatmaps of the
    image and the flipped image, shifted by a cell where the codec needs it
    (:func:`hourglass_plugin.models.consistency.flip_shift`).

    Args:
        out_channels: number of keypoints (K).
        in_channels: channels of the backbone's features (C), or ``None`` if
            the backbone returns heatmaps.
        num_stages: number of stacks (S); needed with ``in_channels``, else
            only checked.
        loss: config of any of MMPose's heatmap losses or a user's own, called
            as ``loss(heatmaps, target, keypoint_weights)`` for each stack.
            Keypoints without annotation and outside the crop have weight 0:
            ``use_target_weight=True`` ignores them, False trains empty
            heatmaps for them (the paper). Default:
            ``dict(type='KeypointMSELoss', use_target_weight=True)``.
        loss_weights: one factor per stack; default 1.
        decoder: config of the codec.
        init_cfg: mmengine's initialisation config.

    Raises:
        ValueError: if an argument is out of range or does not fit the codec.
    """

    def __init__(self,
                 out_channels: int,
                 in_channels: int | None = None,
                 num_stages: int | None = None,
                 loss: dict | None = None,
                 loss_weights: Sequence[float] | None = None,
                 decoder: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if loss_weights is not None:
            if num_stages not in (None, len(loss_weights)):
                raise ValueError(f'{len(loss_weights)} loss_weights do not '
                                 f'fit num_stages={num_stages}: give one for '
                                 'each stack')
            num_stages = len(loss_weights)
        self.out_channels = out_channels
        self.num_stages = num_stages
        self.loss_weights = loss_weights
        self.loss_module = MODELS.build(
            loss or dict(type='KeypointMSELoss', use_target_weight=True))
        self.heatmaps: nn.ModuleList | None = None
        if in_channels is not None:
            if num_stages is None:
                raise ValueError('with in_channels the head has a convolution '
                                 'for each stack: set num_stages too')
            self.heatmaps = nn.ModuleList(
                nn.Conv2d(in_channels, out_channels, 1)
                for _ in range(num_stages))
            for convolution in self.heatmaps:
                # As in the network: targets are almost everywhere zero.
                normal_init(convolution, std=0.001)
        self.decoder = None
        if decoder is not None:
            self.decoder = KEYPOINT_CODECS.build(decoder)
            check_codec(self.decoder, out_channels)

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Heatmaps of all stacks, S tensors (B, K, H, W).

        Args:
            feats: S tensors, (B, C, H, W) with ``in_channels``, else
                (B, K, H, W); those of a lower resolution than the last are
                left out.

        Raises:
            ValueError: if the number of tensors does not fit.
        """
        feats = [x for x in feats if x.shape[2:] == feats[-1].shape[2:]]
        if self.num_stages not in (None, len(feats)):
            raise ValueError(f'the backbone returns {len(feats)} stacks, but '
                             f'the head has num_stages={self.num_stages}: set '
                             f'model.head.num_stages={len(feats)}')
        if self.heatmaps is not None:
            return tuple(
                convolution(x) for convolution, x in zip(self.heatmaps, feats))
        return tuple(feats)

    def loss(self, feats: Sequence[Tensor], batch_data_samples: list,
             train_cfg: dict | None = None) -> dict:
        """Losses of a batch; none of them waits for the device.

        Args:
            feats: see :meth:`forward`.
            batch_data_samples: B ``PoseDataSample`` with
                ``gt_instance_labels.keypoint_weights`` (1, K) and either
                ``gt_fields.heatmaps`` (K, H, W) or, to be drawn here,
                ``gt_instance_labels.keypoint_labels`` (1, K, 2), which a
                codec with ``encode_on_device=True`` gives.
            train_cfg: unused, part of MMPose's interface.

        Returns:
            Scalars ``loss_stack_1`` ... ``loss_stack_S`` and ``acc_pose``;
            with heatmaps of lower resolution ``loss_stack_1_16x16``, ....

        Raises:
            ValueError: if targets are missing or of another shape.
        """
        stacks = self.forward(feats)
        labels = [sample.gt_instance_labels for sample in batch_data_samples]
        keypoint_weights = torch.cat(
            [label.keypoint_weights for label in labels])  # (B, K)
        target = self._target(batch_data_samples, keypoint_weights)
        if target.shape != stacks[-1].shape:
            raise ValueError(
                f'heatmaps are {tuple(stacks[-1].shape)}, but the targets '
                f'{tuple(target.shape)}: set num_keypoints of the network or '
                "in_channels of the head, and the codec's heatmap_size")
        loss_weights = self.loss_weights or [1.0] * len(stacks)
        losses, inner_losses = {}, {}
        stack = 0
        for x in feats:
            name, weight = f'loss_stack_{stack + 1}', loss_weights[stack]
            if x.shape[2:] == target.shape[2:]:
                losses[name] = weight * self._error(stacks[stack], target,
                                                    keypoint_weights)
                stack += 1
            else:
                height, width = x.shape[2:]
                # The maximum keeps a peak of height 1.
                pooled = F.adaptive_max_pool2d(target, (height, width))
                inner_losses[f'{name}_{width}x{height}'] = (
                    weight * self._error(x, pooled, keypoint_weights))
        losses.update(inner_losses)
        losses['acc_pose'] = heatmap_accuracy(stacks[-1], target,
                                              keypoint_weights)
        return losses

    def _error(self, heatmaps: Tensor, target: Tensor,
               keypoint_weights: Tensor) -> Tensor:
        """Loss of one stack in float32, whatever the network computes in."""
        weights: Tensor | None = keypoint_weights
        if not getattr(self.loss_module, 'use_target_weight', True):
            weights = None  # KeypointMSELoss (MMPose 1.3.2) would apply them
        return self.loss_module(heatmaps.float(), target, weights)

    def _target(self, batch_data_samples: list,
                keypoint_weights: Tensor) -> Tensor:
        """The batch's heatmaps (B, K, H, W), packed or drawn here."""
        if 'heatmaps' in batch_data_samples[0].get('gt_fields', ()):
            return torch.stack(
                [sample.gt_fields.heatmaps for sample in batch_data_samples])
        labels = [sample.gt_instance_labels for sample in batch_data_samples]
        draw = getattr(self.decoder, 'draw', None)
        if 'keypoint_labels' not in labels[0] or draw is None:
            raise ValueError(
                'the samples have no heatmaps: give GenerateTarget a codec of '
                'heatmaps; with encode_on_device=True it must be the decoder')
        keypoints = torch.cat([label.keypoint_labels for label in labels])
        return draw(keypoints, keypoint_weights)

    def predict(self, feats: Any, batch_data_samples: list,
                test_cfg: dict | None = None
                ) -> list[InstanceData] | tuple[list[InstanceData],
                                                list[PixelData]]:
        """Keypoints of a batch.

        Args:
            feats: see :meth:`forward`; with ``flip_test`` a list of two, of
                the images and of the flipped images.
            batch_data_samples: B ``PoseDataSample``.
            test_cfg: ``flip_test``: average with the flipped image.
                ``eval_stack``: the stack to decode, counted from 0 or from the
                end; default -1, the last. ``eval_all_stacks``: decode all of
                them as well. ``output_heatmaps``: return heatmaps too.

        Returns:
            For each of the B samples ``keypoints`` (1, K, 2) in input pixels
            and ``keypoint_scores`` (1, K); with ``eval_all_stacks`` also
            ``stack_keypoints`` (1, S, K, 2), in pixels of the image, to which
            MMPose maps ``keypoints`` only; with ``output_heatmaps`` also
            fields ``heatmaps``, those decoded, and ``heatmaps_stack_1`` ...
            ``heatmaps_stack_S``, each (K, H, W) float32.

        Raises:
            ValueError: if ``eval_stack`` or ``shift_heatmap`` does not fit.
        """
        test_cfg = test_cfg or {}
        evaluates_all = test_cfg.get('eval_all_stacks', False)
        outputs_heatmaps = test_cfg.get('output_heatmaps', False)
        passes = [self.forward(x) for x in (
            feats if test_cfg.get('flip_test') else [feats])]
        count, index = len(passes[0]), test_cfg.get('eval_stack', -1)
        if not -count <= index < count:
            raise ValueError(f'test_cfg has eval_stack={index}, but there are '
                             f'{count} stacks: set 0 to {count - 1}, or -1')
        if not (evaluates_all or outputs_heatmaps):
            passes = [(stacks[index], ) for stacks in passes]
            index = 0
        averaged = [heatmaps.float() for heatmaps in passes[0]]
        if len(passes) == 2:
            shift = flip_shift(self.decoder, test_cfg)
            flip_indices = batch_data_samples[0].metainfo['flip_indices']
            averaged = [
                (heatmaps + flip_heatmaps(
                    flipped.float(), flip_indices, shift_heatmap=shift)) / 2
                for heatmaps, flipped in zip(averaged, passes[1])]
        if evaluates_all:
            keypoints = self._decode_all_stacks(averaged, index,
                                                batch_data_samples)
        else:
            keypoints = self.decode(averaged[index])
        if not outputs_heatmaps:
            return keypoints
        named = {'heatmaps': averaged[index]}
        for number, heatmaps in enumerate(averaged, start=1):
            named[f'heatmaps_stack_{number}'] = heatmaps
        return keypoints, [
            PixelData(**{key: x[number].detach() for key, x in named.items()})
            for number in range(len(batch_data_samples))]

    def _decode_all_stacks(self, stacks: Sequence[Tensor], index: int,
                           batch_data_samples: list) -> list[InstanceData]:
        """Keypoints of stack ``index``, and beside them those of all."""
        decoded = self.decode(torch.cat(list(stacks)))  # stack after stack
        count = len(batch_data_samples)
        by_stack = [decoded[first:first + count]
                    for first in range(0, len(decoded), count)]
        for number, sample in enumerate(batch_data_samples):
            keypoints = np.stack(
                [people[number].keypoints[0] for people in by_stack])
            place, scale = sample.metainfo, sample.metainfo['input_scale']
            # In MMPose's order and precision, so that the decoded stack's
            # are the same numbers as its keypoints.
            by_stack[index][number].stack_keypoints = (
                keypoints / place['input_size'] * scale +
                place['input_center'] - 0.5 * scale).astype(
                    keypoints.dtype)[None]
        return by_stack[index]


def heatmap_accuracy(predicted: Tensor, target: Tensor,
                     keypoint_weights: Tensor) -> Tensor:
    """Fraction of keypoints less than a twentieth of the sides off.

    As MMPose's ``pose_pck_accuracy``, which waits for the device.

    Args:
        predicted: (B, K, H, W) float.
        target: (B, K, H, W) float.
        keypoint_weights: (B, K); keypoints of weight 0 do not count.

    Returns:
        A scalar in [0, 1] on the device; 0 if no keypoint counts.
    """
    height, width = target.shape[2:]
    x, y, _ = heatmap_maximum(predicted.detach())  # (B, K)
    target_x, target_y, _ = heatmap_maximum(target)
    x, y = (x - target_x) / width, (y - target_y) / height
    counted = keypoint_weights > 0
    close = (x**2 + y**2 < 0.05**2) & counted
    return close.sum() / counted.sum().clamp(min=1)
