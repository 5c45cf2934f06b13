"""The network as the public ports run it, to compare with."""
from copy import deepcopy

from torch import Tensor, nn

from hourglass_plugin.models import StackedHourglass


class PlainNetwork(nn.Module):
    """A :class:`StackedHourglass` with the same weights in contiguous memory.

    Eager, and channel after channel in memory, where ``StackedHourglass`` has
    the channels innermost.

    Args:
        network: is copied; without ``inner_heatmaps``.
    """

    def __init__(self, network: StackedHourglass) -> None:
        super().__init__()
        network = deepcopy(network)
        self.stem, self.stacks = network.stem, network.stacks
        for parameter in self.parameters():
            # Not contiguous(), which leaves a 1x1 convolution's weight as it
            # is: in both layouts at once, and torch then takes the other.
            parameter.data = parameter.data.flatten().clone().view(
                parameter.shape)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """As :meth:`StackedHourglass.forward`, all stacks."""
        x = self.stem(image.contiguous())
        outputs = []
        for stack in self.stacks:
            features, = stack.features(x)
            heatmaps = None
            if stack.heatmaps is not None:
                heatmaps = stack.heatmaps(features)
            outputs.append(features if heatmaps is None else heatmaps)
            if stack.merge_features is not None:
                x = stack.merge(x, features, heatmaps)
        return tuple(outputs)
