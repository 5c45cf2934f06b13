"""A network that is quick on any machine, and images and steps for it."""
import torch

from hourglass_plugin.models.stacked_hourglass import StackedHourglass

# At depth 2 the sides of an image are multiples of 4 * 2^2 = 16.
SMALL = dict(num_stacks=2, feat_channels=16, depth=2, num_keypoints=5)


def small_network(**options):
    """The same weights at each call; in training mode."""
    torch.manual_seed(0)
    network = StackedHourglass(**{**SMALL, **options})
    for stack in network.stacks:
        if stack.heatmaps is not None:
            # Near zero, different networks' outputs would all look alike.
            stack.heatmaps.reset_parameters()
    return network


def image(*shape, seed=1, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=dtype)


def train_steps(forward, network, count=2):
    """Outputs of steps of gradient descent; ``forward`` runs ``network``."""
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    dtype = next(network.parameters()).dtype
    outputs = []
    for step in range(count):
        optimizer.zero_grad()
        prediction = forward(image(2, 3, 32, 48, seed=step, dtype=dtype))
        sum(p.square().mean() for p in prediction).backward()
        optimizer.step()
        outputs += [p.detach() for p in prediction]
    return outputs
