"""Networks with weights that all matter, and their weights in ports' names."""
import re

import torch
from reference_network import reference_name


def randomised(network, seed=0):
    """Give a network norms' statistics and heatmaps as training does.

    Heatmaps have a height of about 1, so that 1e-5 is small beside it.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith('running_mean'):
            tensor.normal_(0, 0.1, generator=generator)
        elif name.endswith('running_var'):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.ndim == 1 and tensor.is_floating_point():
            tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
        elif name.endswith('heatmaps.weight'):
            tensor.normal_(0, tensor.shape[1]**-0.5, generator=generator)
    return network.eval()


def port_of(network):
    """Return a StackedHourglass's weights by W. Yang's names."""
    return {reference_name(name, network.depth): tensor
            for name, tensor in network.state_dict().items()}


def princeton_name(name, depth):
    """Princeton's name of a weight that has W. Yang's name."""

    def place(found):
        stack, level, number = map(int, found.groups())
        branch = ('up1', 'low1', 'low3', 'low2')[number]
        return f'hgs.{stack}.0.' + 'low2.' * (depth - 1 - level) + branch

    for theirs, princeton in (
        (r'^hg\.(\d+)\.hg\.(\d+)\.(\d)\.0', place),
        (r'^res\.(\d+)\.0', r'features.\1.0'),
        (r'^layer1\.0', 'pre.1'),
        (r'^layer2\.0', 'pre.3'),
        (r'^layer3\.0', 'pre.4'),
        # Inside of a residual module.
        (r'(?<=\.)conv([123])\.', r'conv\1.conv.'),
        (r'\bdownsample\.0\.', 'skip_layer.conv.'),
        (r'^conv1\.', 'pre.0.conv.'),
        (r'^bn1\.', 'pre.0.bn.'),
        (r'^fc\.(\d+)\.0\.', r'features.\1.1.conv.'),
        (r'^fc\.(\d+)\.1\.', r'features.\1.1.bn.'),
        (r'^score\.(\d+)\.', r'outs.\1.conv.'),
        (r'^fc_\.(\d+)\.', r'merge_features.\1.conv.conv.'),
        (r'^score_\.(\d+)\.', r'merge_preds.\1.conv.conv.'),
    ):
        name = re.sub(theirs, princeton, name)
    return name


def princeton_port_of(network):
    """Return weights by Princeton's names, with skip layers nothing uses."""
    weights = {princeton_name(name, network.depth): tensor
               for name, tensor in port_of(network).items()}
    for name in list(weights):
        module, _, rest = name.rpartition('.conv3.conv.')
        skip = f'{module}.skip_layer.conv.'
        if rest == 'bias' and f'{skip}bias' not in weights:
            channels = len(weights[name])
            weights[f'{skip}weight'] = torch.ones(channels, channels, 1, 1)
            weights[f'{skip}bias'] = torch.ones(channels)
    return weights
