"""A network in the layout of Princeton's port, written from its names."""
import torch.nn.functional as F
from torch import nn


class PrincetonConv(nn.Module):

    def __init__(self, in_channels, out_channels, size=3, stride=1, bn=False,
                 relu=True):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, size, stride,
                              (size - 1) // 2)
        self.bn = nn.BatchNorm2d(out_channels) if bn else nn.Identity()
        self.relu = relu

    def forward(self, x):
        x = self.bn(self.conv(x))
        return x.relu() if self.relu else x


class PrincetonResidual(nn.Module):
    """With the skip layer that is there even where nothing uses it."""

    def __init__(self, before, after):
        super().__init__()
        half = after // 2
        for step, (i, o, size) in enumerate(
            ((before, half, 1), (half, half, 3), (half, after, 1)), 1):
            setattr(self, f'bn{step}', nn.BatchNorm2d(i))
            setattr(self, f'conv{step}', PrincetonConv(i, o, size, relu=False))
        self.skip_layer = PrincetonConv(before, after, 1, relu=False)
        self.uses_skip = before != after

    def forward(self, x):
        y = x
        for step in '123':
            y = getattr(self, f'conv{step}')(getattr(self,
                                                     f'bn{step}')(y).relu())
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


class PrincetonMerge(nn.Module):

    def __init__(self, before, after):
        super().__init__()
        self.conv = PrincetonConv(before, after, 1, relu=False)

    def forward(self, x):
        return self.conv(x)


class PrincetonNetwork(nn.Module):
    """Small unless the numbers of the paper are given."""

    def __init__(self, stacks=2, channels=16, keypoints=5, depth=4,
                 stem=(8, 12)):
        super().__init__()
        self.stacks = stacks
        self.pre = nn.Sequential(
            PrincetonConv(3, stem[0], 7, 2, bn=True),
            PrincetonResidual(*stem), nn.MaxPool2d(2),
            PrincetonResidual(stem[1], stem[1]),
            PrincetonResidual(stem[1], channels))
        self.hgs = nn.ModuleList(
            nn.Sequential(PrincetonHourglass(depth, channels))
            for _ in range(stacks))
        self.features = nn.ModuleList(
            nn.Sequential(
                PrincetonResidual(channels, channels),
                PrincetonConv(channels, channels, 1, bn=True))
            for _ in range(stacks))
        self.outs = nn.ModuleList(
            PrincetonConv(channels, keypoints, 1, relu=False)
            for _ in range(stacks))
        self.merge_features = nn.ModuleList(
            PrincetonMerge(channels, channels) for _ in range(stacks - 1))
        self.merge_preds = nn.ModuleList(
            PrincetonMerge(keypoints, channels) for _ in range(stacks - 1))

    def forward(self, x):
        x = self.pre(x)
        predictions = []
        for i in range(self.stacks):
            features = self.features[i](self.hgs[i](x))
            predictions.append(self.outs[i](features))
            if i < self.stacks - 1:
                x = x + self.merge_preds[i](
                    predictions[-1]) + self.merge_features[i](features)
        return predictions
