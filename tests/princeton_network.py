"""The network of Princeton's port, written from the names of its weights."""
import torch
import torch.nn.functional as F


class PrincetonNetwork(dict):
    """Weights by name, drawn when the first image needs them."""

    def __init__(self, stacks, channels, keypoints, stem, depth=4):
        super().__init__()
        self.stacks, self.keypoints = stacks, keypoints
        self.channels, self.stem, self.depth = channels, stem, depth
        self.generator = torch.Generator().manual_seed(0)

    def draw(self, name, *shape, mean=0.0, deviation=0.1):
        if name not in self:
            self[name] = mean + deviation * torch.randn(
                shape, generator=self.generator)
        return self[name]

    def convolve(self, name, x, outputs, size=1, stride=1):
        inputs = x.shape[1]
        weight = self.draw(f'{name}.weight', outputs, inputs, size, size,
                           deviation=(3 * inputs * size**2)**-0.5)
        bias = self.draw(f'{name}.bias', outputs)
        return F.conv2d(x, weight, bias, stride, size // 2)

    def normalise(self, name, x):
        self[f'{name}.num_batches_tracked'] = torch.tensor(1)
        mean, variance, weight, bias = (
            self.draw(f'{name}.{part}', x.shape[1], mean=average)
            for part, average in (('running_mean', 0), ('running_var', 1),
                                  ('weight', 1), ('bias', 0)))
        return F.batch_norm(x, mean, variance, weight, bias).relu()

    def residual(self, name, x, outputs):
        """Its skip layer is there even where nothing uses it."""
        y = x
        for step, (width, size) in enumerate(
            ((outputs // 2, 1), (outputs // 2, 3), (outputs, 1)), 1):
            y = self.normalise(f'{name}.bn{step}', y)
            y = self.convolve(f'{name}.conv{step}.conv', y, width, size)
        skip = self.convolve(f'{name}.skip_layer.conv', x, outputs)
        return y + (skip if x.shape[1] != outputs else x)

    def hourglass(self, name, x, depth):
        if depth == 0:
            return self.residual(name, x, self.channels)
        low = self.residual(f'{name}.low1', F.max_pool2d(x, 2), self.channels)
        low = self.hourglass(f'{name}.low2', low, depth - 1)
        low = self.residual(f'{name}.low3', low, self.channels)
        return self.residual(f'{name}.up1', x, self.channels) + F.interpolate(
            low, scale_factor=2.0)

    def __call__(self, x):
        """Heatmaps of every stack."""
        x = self.convolve('pre.0.conv', x, self.stem[0], 7, 2)
        x = self.residual('pre.1', self.normalise('pre.0.bn', x), self.stem[1])
        x = self.residual('pre.3', F.max_pool2d(x, 2), self.stem[1])
        x = self.residual('pre.4', x, self.channels)
        outputs = []
        for stack in range(self.stacks):
            y = self.hourglass(f'hgs.{stack}.0', x, self.depth)
            y = self.residual(f'features.{stack}.0', y, self.channels)
            y = self.convolve(f'features.{stack}.1.conv', y, self.channels)
            y = self.normalise(f'features.{stack}.1.bn', y)
            outputs.append(
                self.convolve(f'outs.{stack}.conv', y, self.keypoints))
            if stack < self.stacks - 1:
                x = x + self.convolve(
                    f'merge_preds.{stack}.conv.conv', outputs[-1],
                    self.channels) + self.convolve(
                        f'merge_features.{stack}.conv.conv', y, self.channels)
        return outputs
