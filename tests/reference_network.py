"""The paper's network a second time, in another style, to test ours against.

Functions over a plain dict of tensors, written from the paper's figures 3 and
4. The dict's names are those of the published PyTorch port by W. Yang:

- ``conv1``, ``bn1``: the stem's convolution; ``layer1.0``, ``layer2.0``,
  ``layer3.0``: its residual modules;
- ``hg.i.hg.l.p.j``: in stack i, at level l (0 is the innermost), the j-th
  residual module at place p: 0 the upper branch, 1 and 2 the lower branch
  before and after the inner hourglass, 3 the innermost;
- ``res.i.j``, ``fc.i.0``, ``fc.i.1``, ``score.i``: features and heatmaps;
- ``fc_.i``, ``score_.i``: what is fed into the next stack;
- in a residual module ``bn1 conv1 bn2 conv2 bn3 conv3 downsample.0``.
"""
import re

import torch.nn.functional as F


def reference_network(weights, image, num_stacks, num_blocks, depth,
                      training=False):
    """Heatmaps of every stack, or features where there is no ``score``.

    In training the running statistics in ``weights`` are updated in place.
    """

    def convolve(name, x, stride=1):
        kernel = weights[f'{name}.weight']
        return F.conv2d(x, kernel, weights[f'{name}.bias'], stride,
                        kernel.shape[-1] // 2)

    def normalise(name, x):
        x = F.batch_norm(x, weights[f'{name}.running_mean'],
                         weights[f'{name}.running_var'],
                         weights[f'{name}.weight'], weights[f'{name}.bias'],
                         training)
        return x.clamp(min=0)

    def residual(name, x):
        y = x
        for step in '123':
            y = normalise(f'{name}.bn{step}', y)
            y = convolve(f'{name}.conv{step}', y)
        if f'{name}.downsample.0.weight' in weights:
            x = convolve(f'{name}.downsample.0', x)
        return x + y

    def residuals(name, x):
        for block in range(num_blocks):
            x = residual(f'{name}.{block}', x)
        return x

    def hourglass(name, level, x):
        upper = residuals(f'{name}.{level}.0', x)
        lower = residuals(f'{name}.{level}.1', halve(x))
        if level > 0:
            lower = hourglass(name, level - 1, lower)
        else:
            lower = residuals(f'{name}.{level}.3', lower)
        lower = residuals(f'{name}.{level}.2', lower)
        return upper + double(lower)

    x = normalise('bn1', convolve('conv1', image, stride=2))
    x = halve(residual('layer1.0', x))
    x = residual('layer3.0', residual('layer2.0', x))
    outputs = []
    for stack in range(num_stacks):
        y = hourglass(f'hg.{stack}.hg', depth - 1, x)
        y = residuals(f'res.{stack}', y)
        y = normalise(f'fc.{stack}.1', convolve(f'fc.{stack}.0', y))
        if stack < num_stacks - 1:
            x = x + convolve(f'fc_.{stack}', y)
        if f'score.{stack}.weight' in weights:
            y = convolve(f'score.{stack}', y)
            if stack < num_stacks - 1:
                x = x + convolve(f'score_.{stack}', y)
        outputs.append(y)
    return outputs


def halve(x):
    """The maximum of each 2x2 block: (B, C, H, W) to (B, C, H/2, W/2)."""
    return x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))


def double(x):
    """Each value to a 2x2 block: (B, C, H, W) to (B, C, 2H, 2W)."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def reference_name(name, depth):
    """The reference's name of a weight or buffer of ``StackedHourglass``."""
    for ours, reference in (
        (r'\bskip\.(weight|bias)$', r'downsample.0.\1'),
        (r'\bnorm([123])\.', r'bn\1.'),
        (r'^stem\.conv\.', 'conv1.'),
        (r'^stem\.norm\.', 'bn1.'),
        (r'^stem\.residual([123])\.', r'layer\1.0.'),
        (r'^stacks\.(\d+)\.residuals\.', r'res.\1.'),
        (r'^stacks\.(\d+)\.conv\.', r'fc.\1.0.'),
        (r'^stacks\.(\d+)\.norm\.', r'fc.\1.1.'),
        (r'^stacks\.(\d+)\.heatmaps\.', r'score.\1.'),
        (r'^stacks\.(\d+)\.merge_features\.', r'fc_.\1.'),
        (r'^stacks\.(\d+)\.merge_heatmaps\.', r'score_.\1.'),
    ):
        name = re.sub(ours, reference, name)
    hourglass = re.match(
        r'stacks\.(\d+)\.hourglass\.((?:inner\.)*?)'
        r'(skip|down|up|inner)\.(\d+\..*)', name)
    if hourglass is None:
        return name
    stack, inner, place, rest = hourglass.groups()
    level = depth - 1 - inner.count('inner')
    place_number = ('skip', 'down', 'up', 'inner').index(place)
    return f'hg.{stack}.hg.{level}.{place_number}.{rest}'
