"""Networks with weights that all matter, and their weights in ports' names."""
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
        elif name.endswith(('heatmaps.weight', 'outs.0.conv.weight',
                            'outs.1.conv.weight')):
            deviation = tensor.shape[1]**-0.5
            tensor.normal_(0, deviation, generator=generator)
    return network.eval()


def port_of(network):
    """Return a StackedHourglass's weights by W. Yang's names."""
    return {
        reference_name(name, network.depth): tensor
        for name, tensor in network.state_dict().items()
    }
