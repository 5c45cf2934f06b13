"""The head of the stacked hourglass: every stack against the same target.

Shape shorthand: B batch, S stacks, K keypoints, C channels, H W heatmap size.
"""
import logging
from collections.abc import Sequence
from typing import Optional, Union, cast

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import normal_init
from mmengine.structures import InstanceData, PixelData
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import Tensor, nn

from .losses import heatmap_accuracy

#: Cells by which mirrored heatmaps may be off in one of two ways, which are a
#: cell apart. MMPose's ``MSRAHeatmap`` with ``unbiased`` is a quarter off at
#: stride 4 and half a cell at stride 2.
_LARGEST_DISTANCE = 0.75


@MODELS.register_module()
class MultiStageHeatmapHead(BaseHead):
    """Heatmaps of several stacks, each with its own loss (section 3.3).

    On a backbone that predicts heatmaps itself (``StackedHourglass`` with
    ``num_keypoints``) the head has no weights. With ``in_channels`` it has a
    1x1 convolution per stack, for backbones that return features
    (``StackedHourglass`` without ``num_keypoints``, MMPose's
    ``HourglassNet``).

    The loss of stack i is logged as ``loss_stack_i``, from 1; training
    minimises their sum. Heatmaps of lower resolution before a stack's own
    (``StackedHourglass`` with ``inner_heatmaps``) are learnt too, against the
    target pooled by maximum, as ``loss_stack_i_16x16`` and so on; with the
    stack's weight.

    Flip test (``test_cfg=dict(flip_test=True)``) averages the heatmaps of the
    image and its mirror image. Whether the mirrored heatmaps must be shifted
    by a cell follows from the codec and is found out here: a ``shift_heatmap``
    in ``test_cfg`` that contradicts the codec is corrected, with a warning.

    Args:
        out_channels: number of keypoints (K).
        in_channels: channels of the backbone's features (C), or ``None`` if
            the backbone returns heatmaps.
        num_stages: number of stacks (S); needed with ``in_channels``, else
            only checked.
        loss_weights: one factor per stack; default 1.
        loss: config of the loss, any of MMPose's heatmap losses or a user's
            own; called as ``loss(heatmaps, target, keypoint_weights)`` for
            each stack. Keypoints that are not annotated or outside the crop
            have weight 0: ``use_target_weight=True`` ignores them, False
            trains the head to predict an empty heatmap for them (the paper).
        with_accuracy: log ``acc_pose`` of the last stack in training.
        decoder: config of the codec.
        init_cfg: mmengine's initialisation config.

    Raises:
        ValueError: if an argument is out of range or does not fit the codec.
    """

    def __init__(self,
                 out_channels: int,
                 in_channels: Optional[int] = None,
                 num_stages: Optional[int] = None,
                 loss: Optional[dict] = None,
                 loss_weights: Optional[Sequence[float]] = None,
                 with_accuracy: bool = True,
                 decoder: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if loss_weights is not None and num_stages not in (
                None, len(loss_weights)):
            raise ValueError(f'{len(loss_weights)} loss_weights do not fit '
                             f'num_stages={num_stages}')
        self.out_channels = out_channels
        self.num_stages = num_stages
        if loss_weights is not None:
            self.num_stages = len(loss_weights)
        self.loss_weights = loss_weights
        self.loss_module = MODELS.build(
            dict(type='KeypointMSELoss', use_target_weight=True
                 ) if loss is None else loss)
        self.with_accuracy = with_accuracy
        self.heatmaps: Optional[nn.ModuleList] = None
        if in_channels is not None:
            if num_stages is None:
                raise ValueError('with in_channels the head has a convolution '
                                 'for each stack: give num_stages too')
            self.heatmaps = nn.ModuleList(
                nn.Conv2d(in_channels, out_channels, 1)
                for _ in range(num_stages))
            for convolution in self.heatmaps:
                # As in the network: targets are almost everywhere zero.
                normal_init(convolution, std=0.001)
        self.decoder = None
        if decoder is not None:
            self.decoder = KEYPOINT_CODECS.build(decoder)
            self.shifts_mirrored = needs_mirror_shift(self.decoder,
                                                      out_channels)
        self._shift_was_corrected = False

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Heatmaps of all stacks.

        Args:
            feats: S tensors, (B, C, H, W) with ``in_channels``, else
                (B, K, H, W); those of a lower resolution than the last are
                left out.

        Returns:
            S tensors (B, K, H, W).

        Raises:
            ValueError: if number or channels of the tensors do not fit.
        """
        feats = [x for x in feats if x.shape[2:] == feats[-1].shape[2:]]
        if self.num_stages not in (None, len(feats)):
            raise ValueError(
                f'the backbone returns {len(feats)} stacks, but the head is '
                f'built for {self.num_stages}; make num_stages and the '
                "backbone's num_stacks or out_stacks equal")
        if self.heatmaps is not None:
            return tuple(
                convolution(x) for convolution, x in zip(self.heatmaps, feats))
        if feats[-1].shape[1] != self.out_channels:
            raise ValueError(
                f'the backbone returns {feats[-1].shape[1]} channels, but '
                f'the head expects {self.out_channels} heatmaps: give the '
                f'backbone num_keypoints={self.out_channels}, or the head '
                'in_channels and num_stages')
        return tuple(feats)

    def loss(self,
             feats: Sequence[Tensor],
             batch_data_samples: list,
             train_cfg: Optional[dict] = None) -> dict:
        """Losses of a batch; nothing waits for the device.

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
        """
        stacks = self.forward(feats)
        keypoint_weights = torch.cat([
            sample.gt_instance_labels.keypoint_weights
            for sample in batch_data_samples
        ])  # (B, K)
        target = self._target(batch_data_samples, keypoint_weights)
        if target.shape != stacks[-1].shape:
            raise ValueError(
                f'the network predicts heatmaps of shape '
                f'{tuple(stacks[-1].shape)}, but the targets are '
                f'{tuple(target.shape)}: heatmap_size of the codec must be a '
                'quarter of its input_size, and the keypoints must be as many')
        loss_weights = self.loss_weights or [1.0] * len(stacks)
        losses = {
            f'loss_stack_{index + 1}':
            weight * self._stack_loss(heatmaps, target, keypoint_weights)
            for index, (weight, heatmaps) in enumerate(
                zip(loss_weights, stacks))
        }
        if len(feats) > len(stacks):
            losses.update(
                self._inner_losses(feats, target, keypoint_weights,
                                   loss_weights))
        if self.with_accuracy:
            losses['acc_pose'] = heatmap_accuracy(stacks[-1], target,
                                                  keypoint_weights)
        return losses

    def _stack_loss(self, heatmaps: Tensor, target: Tensor,
                    keypoint_weights: Tensor) -> Tensor:
        """Loss of one stack in float32, whatever the network computes in."""
        weights: Optional[Tensor] = keypoint_weights
        # MMPose's KeypointMSELoss (1.3.2) applies the weights that it gets,
        # whatever its use_target_weight.
        if not getattr(self.loss_module, 'use_target_weight', True):
            weights = None
        return self.loss_module(heatmaps.float(), target, weights)

    def _target(self, batch_data_samples: list,
                keypoint_weights: Tensor) -> Tensor:
        """The batch's heatmaps (B, K, H, W), packed or drawn here."""
        fields = batch_data_samples[0].get('gt_fields')
        if fields is not None and 'heatmaps' in fields:
            return torch.stack(
                [sample.gt_fields.heatmaps for sample in batch_data_samples])
        labels = batch_data_samples[0].gt_instance_labels
        draw = getattr(self.decoder, 'draw', None)
        if 'keypoint_labels' not in labels or draw is None:
            raise ValueError(
                'the samples have no heatmaps: give GenerateTarget a codec '
                'that encodes them, or HourglassHeatmap with '
                "encode_on_device=True and the head the same as decoder")
        return draw(
            torch.cat([
                sample.gt_instance_labels.keypoint_labels
                for sample in batch_data_samples
            ]), keypoint_weights)

    def _inner_losses(self, feats: Sequence[Tensor], target: Tensor,
                      keypoint_weights: Tensor,
                      loss_weights: Sequence[float]) -> dict:
        """Losses of the heatmaps of lower resolution, by their names."""
        by_size: dict[tuple[int, ...], list[tuple[int, Tensor]]] = {}
        stack = 0
        for heatmaps in feats:
            size = tuple(heatmaps.shape[2:])
            if size == target.shape[2:]:
                stack += 1
            else:
                by_size.setdefault(size, []).append((stack, heatmaps))
        losses = {}
        for (height, width), found in by_size.items():
            # The maximum keeps a peak of height 1 in the cell that holds it.
            pooled = F.adaptive_max_pool2d(target, (height, width))
            for stack, heatmaps in found:
                losses[f'loss_stack_{stack + 1}_{width}x{height}'] = (
                    loss_weights[stack] *
                    self._stack_loss(heatmaps, pooled, keypoint_weights))
        return losses

    def predict(
        self,
        feats: Union[Sequence[Tensor], list[Sequence[Tensor]]],
        batch_data_samples: list,
        test_cfg: Optional[dict] = None
    ) -> Union[list[InstanceData], tuple[list[InstanceData],
                                         list[PixelData]]]:
        """Keypoints of a batch.

        Args:
            feats: see :meth:`forward`; with ``flip_test`` a list of two, of
                the images and of the mirrored images.
            batch_data_samples: B ``PoseDataSample``.
            test_cfg: ``flip_test``: average with the mirror image.
                ``eval_stack``: which stack is decoded, counted from 0 or from the
                end; default -1, the last. ``eval_all_stacks``: decode all of
                them as well, to compare. ``output_heatmaps``: return
                heatmaps too.

        Returns:
            For each of the B people ``keypoints`` (1, K, 2) in input pixels
            and ``keypoint_scores`` (1, K); with ``eval_all_stacks`` also
            ``stack_keypoints`` (1, S, K, 2), in pixels of the image already,
            since MMPose maps no others than ``keypoints`` back; with
            ``output_heatmaps`` also fields ``heatmaps``, what was decoded,
            and ``heatmaps_stack_1`` ... ``heatmaps_stack_S``, each (K, H, W)
            float32.
        """
        test_cfg = test_cfg or {}
        every = test_cfg.get('eval_all_stacks', False)
        fields_asked = test_cfg.get('output_heatmaps', False)
        both = feats if test_cfg.get('flip_test', False) else [feats]
        passes = [
            self.forward(outputs)
            for outputs in cast('list[Sequence[Tensor]]', both)
        ]
        count, index = len(passes[0]), test_cfg.get('eval_stack', -1)
        if not -count <= index < count:
            raise ValueError(f'test_cfg has eval_stack={index}, but there are '
                             f'{count} stacks, counted from 0')
        if not (every or fields_asked):  # the other stacks are not needed
            passes = [(outputs[index], ) for outputs in passes]
            index = 0
        if len(passes) == 2:
            stacks = self._average_with_mirrored(passes[0], passes[1],
                                                 batch_data_samples, test_cfg)
        else:
            stacks = [heatmaps.float() for heatmaps in passes[0]]
        if every:
            keypoints = self._decode_every_stack(stacks, index,
                                                 batch_data_samples)
        else:
            keypoints = self.decode(stacks[index])
        if not fields_asked:
            return keypoints
        fields = []
        for person in range(len(batch_data_samples)):
            field = PixelData(heatmaps=stacks[index][person].detach())
            for number, heatmaps in enumerate(stacks, start=1):
                field.set_field(heatmaps[person].detach(),
                                f'heatmaps_stack_{number}')
            fields.append(field)
        return keypoints, fields

    def select_stack(self, index: int) -> None:
        """From now on expect the output of one stack alone.

        Args:
            index: the stack, counted from 0.
        """
        self.num_stages = 1
        self.loss_weights = None
        if self.heatmaps is not None:
            self.heatmaps = nn.ModuleList([self.heatmaps[index]])

    def _decode_every_stack(self, stacks: Sequence[Tensor], index: int,
                            batch_data_samples: list) -> list[InstanceData]:
        """Keypoints of stack ``index``, and beside them those of all."""
        decoded = self.decode(torch.cat(list(stacks)))  # stack after stack
        batch = len(batch_data_samples)
        by_stack = [
            decoded[start:start + batch]
            for start in range(0, len(decoded), batch)
        ]
        people = by_stack[index]
        for number, sample in enumerate(batch_data_samples):
            keypoints = np.stack(
                [stack[number].keypoints[0] for stack in by_stack])
            place = sample.metainfo
            scale = place['input_scale']
            # In MMPose's order and precision, so that the decoded stack's
            # are the same numbers as its keypoints.
            people[number].stack_keypoints = (
                keypoints / place['input_size'] * scale +
                place['input_center'] - 0.5 * scale).astype(
                    keypoints.dtype)[None]
        return people

    def _average_with_mirrored(self, stacks: Sequence[Tensor],
                               mirrored: Sequence[Tensor],
                               batch_data_samples: list,
                               test_cfg: dict) -> list[Tensor]:
        """Mean of each stack's heatmaps and the mirror image's, unmirrored."""
        asked = test_cfg.get('shift_heatmap')
        if self.decoder is None:
            raise ValueError('flip_test needs the codec: give the head a '
                             'decoder')
        if asked not in (None, self.shifts_mirrored) and \
                not self._shift_was_corrected:
            self._shift_was_corrected = True
            print_log(
                f'test_cfg has shift_heatmap={asked}, but mirrored heatmaps '
                f'of {type(self.decoder).__name__} line up with '
                f'shift_heatmap={self.shifts_mirrored}, which is used; '
                'remove shift_heatmap from the config',
                logger='current',
                level=logging.WARNING)
        flip_indices = batch_data_samples[0].metainfo['flip_indices']
        return [(heatmaps.float() + flip_heatmaps(
            reverse.float(), flip_indices, self.shifts_mirrored)) / 2
                for heatmaps, reverse in zip(stacks, mirrored)]


def flip_heatmaps(heatmaps: Tensor, flip_indices: Sequence[int],
                      shift: bool) -> Tensor:
    """Heatmaps of a mirrored image as heatmaps of the image.

    Args:
        heatmaps: (B, K, H, W).
        flip_indices: for each keypoint the position of its mirror image.
        shift: move everything one cell to the right, leaving the first column
            as it is; for codecs that round to cells.

    Returns:
        (B, K, H, W), a new tensor.
    """
    heatmaps = heatmaps[:, list(flip_indices)].flip(-1)
    if shift:
        heatmaps = torch.cat([heatmaps[..., :1], heatmaps[..., :-1]], dim=-1)
    return heatmaps


def needs_mirror_shift(codec: BaseKeypointCodec, num_keypoints: int) -> bool:
    """Whether a codec's heatmaps are one cell off after mirroring.

    The codec itself is asked: a keypoint in the image and in the mirrored
    image is encoded, and the unmirrored heatmap compared. Codecs that truncate
    (ours) or keep exact positions (UDP) line up, codecs that round
    (``MSRAHeatmap``) need the shift.

    Args:
        codec: a codec with ``input_size`` whose ``encode`` gives ``heatmaps``
            or what its ``draw`` makes them of.
        num_keypoints: how many keypoints it encodes.

    Raises:
        ValueError: if the codec does not encode heatmaps of that many
            keypoints, or they line up neither way.
    """
    width, height = codec.input_size
    visible = np.ones((1, num_keypoints), np.float32)

    def heatmaps(points: np.ndarray) -> Optional[Tensor]:
        encoded = codec.encode(points, visible)
        if 'heatmaps' in encoded:
            return torch.as_tensor(encoded['heatmaps'])[None]
        if 'keypoint_labels' in encoded and hasattr(codec, 'draw'):
            return codec.draw(
                torch.as_tensor(encoded['keypoint_labels']),
                torch.as_tensor(encoded['keypoint_weights']))
        return None

    errors, units = [], []
    for phase in range(4):
        keypoints = np.full((1, num_keypoints, 2), height // 2, np.float32)
        # Whole pixels at all positions within a cell, over the image.
        keypoints[..., 0] = np.linspace(
            0.3, 0.7, num_keypoints) * width // 4 * 4 + (
                np.arange(num_keypoints) + phase) % 4
        mirrored = keypoints.copy()
        mirrored[..., 0] = width - 1 - mirrored[..., 0]
        target, reverse = heatmaps(keypoints), heatmaps(mirrored)
        if (target is None or reverse is None
                or target.shape[1] != num_keypoints):
            raise ValueError(
                f'{type(codec).__name__} does not encode one heatmap for each '
                f'of {num_keypoints} keypoints; a heatmap head needs such a '
                'codec')
        unmirrored = [
            flip_heatmaps(reverse, range(num_keypoints), shift)
            for shift in (False, True)
        ]
        errors.append(
            torch.stack([(each - target).square().sum((0, 2, 3))
                         for each in unmirrored]))
        units.append(
            (target - target.roll(1, -1)).square().sum((0, 2, 3)))
    error = torch.cat(errors, 1)  # (2, 4 K)
    shift = bool(error[1].sum() < error[0].sum())
    # A small distance is the root of an error, in units of one cell's.
    distance = float((error[int(shift)] / torch.cat(units)).median().sqrt())
    if not distance < _LARGEST_DISTANCE:
        raise ValueError(
            f'heatmaps that {type(codec).__name__} draws of the mirrored '
            "image do not line up with the image's, neither as they are nor "
            'shifted by a cell: change encode() so that x is drawn in the '
            f'cell that mirrors the one of {width - 1} - x, or one beside it')
    return shift
