"""A network in the layout of Princeton's port, written from its names."""
from collections import OrderedDict

import torch.nn.functional as F
from torch import nn


def convolution(inputs, outputs, size=1, stride=1, bn_relu=False):
    layers = OrderedDict(
        conv=nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2))
    if bn_relu:
        layers.update(bn=nn.BatchNorm2d(outputs), relu=nn.ReLU())
    return nn.Sequential(layers)


def merge(inputs, outputs):
    return nn.Sequential(OrderedDict(conv=convolution(inputs, outputs)))


class PrincetonResidual(nn.Module):
    """With the skip layer that is there even where nothing uses it."""

    def __init__(self, before, after):
        super().__init__()
        half = after // 2
        for step, (i, o, size) in enumerate(
            ((before, half, 1), (half, half, 3), (half, after, 1)), 1):
            setattr(self, f'bn{step}', nn.BatchNorm2d(i))
            setattr(self, f'conv{step}', convolution(i, o, size))
        self.skip_layer = convolution(before, after)
        self.uses_skip = before != after

    def forward(self, x):
        y = self.conv1(self.bn1(x).relu())
        y = self.conv2(self.bn2(y).relu())
        y = self.conv3(self.bn3(y).relu())
        return y + (self.skip_layer(x) if self.uses_skip else x)


class PrincetonHourglass(nn.Module):

    def __init__(self, depth, channels):
        super().__init__()
        self.up1 = PrincetonResidual(channels, channels)
        self.low1 = PrincetonResidual(channels, channels)
        self.low2 = (PrincetonHourglass if depth > 1 else
                     lambda _, c: PrincetonResidual(c, c))(depth - 1, channels)
        self.low3 = PrincetonResidual(channels, channels)

    def forward(self, x):
        low = self.low3(self.low2(self.low1(F.max_pool2d(x, 2))))
        return self.up1(x) + F.interpolate(low, scale_factor=2.0)


class PrincetonNetwork(nn.Module):
    """Small unless the numbers of the paper are given."""

    def __init__(self, stacks=2, channels=16, keypoints=5, depth=4,
                 stem=(8, 12)):
        super().__init__()
        self.pre = nn.Sequential(
            convolution(3, stem[0], 7, 2, bn_relu=True),
            PrincetonResidual(*stem), nn.MaxPool2d(2),
            PrincetonResidual(stem[1], stem[1]),
            PrincetonResidual(stem[1], channels))
        self.hgs, self.features, self.outs = (nn.ModuleList()
                                              for _ in range(3))
        self.merge_features, self.merge_preds = (nn.ModuleList()
                                                 for _ in range(2))
        for stack in range(stacks):
            self.hgs.append(nn.Sequential(PrincetonHourglass(depth, channels)))
            self.features.append(
                nn.Sequential(
                    PrincetonResidual(channels, channels),
                    convolution(channels, channels, bn_relu=True)))
            self.outs.append(convolution(channels, keypoints))
            if stack < stacks - 1:
                self.merge_features.append(merge(channels, channels))
                self.merge_preds.append(merge(keypoints, channels))

    def forward(self, x):
        x = self.pre(x)
        predictions = []
        for i, hourglass in enumerate(self.hgs):
            features = self.features[i](hourglass(x))
            predictions.append(self.outs[i](features))
            if i < len(self.merge_preds):
                x = x + self.merge_preds[i](
                    predictions[-1]) + self.merge_features[i](features)
        return predictions
