"""The networks to compare: ours from a config, MMPose's from its configs."""
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import mmpose
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, default_collate
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

#: Popular alternatives, and their configs among MMPose's own for MPII.
STOCK = {
    'HourglassNet + CPMHead': 'hourglass52_8xb64-210e',
    'HRNet-W32 + HeatmapHead': 'hrnet-w32_8xb64-210e',
    'SimpleBaseline-ResNet-50': 'res50_8xb64-210e',
}

#: Its pipeline and codec are compared; those of the others are equal.
STOCK_DATA = 'SimpleBaseline-ResNet-50'


def stock_config(name: str) -> Config:
    """MMPose's own config of one of ``STOCK``, for MPII at 256x256.

    Raises:
        FileNotFoundError: if MMPose was installed without its configs.
    """
    package = Path(mmpose.__file__).parent
    path = (
        f'configs/body_2d_keypoint/topdown_heatmap/mpii/td-hm_{STOCK[name]}'
        '_mpii-256x256.py')
    # In the wheel, in a clone.
    for folder in (package / '.mim', package.parent):
        if (folder / path).is_file():
            return Config.fromfile(folder / path)
    raise FileNotFoundError(
        f'MMPose in {package} has no {path}: install MMPose from its wheel, '
        'or leave its networks out with --beside and nothing after it')


def resize(config: Config, size: tuple[int, int]) -> Config:
    """Change one of MMPose's configs to an input of (W, H) px."""
    for codec in (config.model.head.decoder,
                  _part(config, 'GenerateTarget').encoder):
        codec.input_size = tuple(size)
        codec.heatmap_size = tuple(side // 4 for side in size)
    _part(config, 'TopdownAffine').input_size = tuple(size)
    return config


def check_config(config: Config) -> None:
    """Raise ValueError for other networks than the benchmark's."""
    backbone = config.model.backbone
    if backbone.type != 'StackedHourglass' or not backbone.get(
            'num_keypoints') or backbone.get('inner_heatmaps'):
        raise ValueError(
            'the benchmark is of StackedHourglass with num_keypoints and '
            f'without inner_heatmaps, but the config has {dict(backbone)}')


def our_config(config: Config, num_stacks: int) -> Config:
    """Copy one of our configs with another number of stacks."""
    config = deepcopy(config)
    config.model.backbone.num_stacks = num_stacks
    return config


def input_size(config: Config) -> tuple[int, int]:
    """(W, H) of the network's input, from the head's codec."""
    return tuple(config.model.head.decoder.input_size)


def build_model(config: Config, device: str) -> BaseModel:
    """Build the pose model of a config with random parameters.

    The running statistics are random as well, so that networks which compute
    different things differ.
    """
    init_default_scope('mmpose')
    options = deepcopy(config.model)
    options.backbone.pop('init_cfg', None)  # nothing is downloaded
    model = MODELS.build(options)
    randomize(model)
    return model.to(device)


def randomize(model: nn.Module, seed: int = 0) -> None:
    """Draw all parameters and statistics, repeatably."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for tensor, low, high in ((module.weight, 0.5, 1.5),
                                      (module.bias, -0.2, 0.2),
                                      (module.running_mean, -0.2, 0.2),
                                      (module.running_var, 0.5, 1.5)):
                if tensor is not None:
                    tensor.data.uniform_(low, high, generator=generator)
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            bound = module.weight[0].numel()**-0.5
            for parameter in module.parameters(recurse=False):
                parameter.data.uniform_(-bound, bound, generator=generator)


def network_of(model: nn.Module) -> Callable[[Tensor], Any]:
    """Backbone and head of a pose model: image to heatmaps."""
    return lambda image: model(image, None, mode='tensor')


def multiply_adds(network: nn.Module, forward: Callable[[Tensor], Any],
                  size: tuple[int, int]) -> int:
    """Count multiply-adds for one image, of convolutions and products.

    Norms, pooling and additions are left out, as in the literature. Nothing
    is computed.

    Args:
        network: is moved to the meta device.
        forward: calls it with an image.
        size: (W, H) of the image.
    """
    network.to('meta').eval()
    image = torch.empty(1, 3, size[1], size[0], device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        forward(image)
    return counter.get_total_flops() // 2


def model_figures(config: Config, size: tuple[int, int]) -> dict[str, int]:
    """Parameters and multiply-adds of a config's network."""
    model = build_model(config, 'cpu')
    return dict(
        parameters=sum(parameter.numel() for parameter in model.parameters()
                       if parameter.requires_grad),
        multiply_adds=multiply_adds(model, network_of(model), size))


def other_models(
        size: tuple[int, int],
        device: str,
        configs: Mapping[str, Config] | None = None
) -> Iterator[tuple[str, Config, BaseModel]]:
    """Yield name, config and model of the other networks.

    Args:
        size: (W, H) of the network's input.
        device: of the models.
        configs: by name; default: those of ``STOCK``, for this size.

    Raises:
        ValueError: if a config is for another size.
    """
    if configs is None:
        configs = {name: resize(stock_config(name), size) for name in STOCK}
    for name, config in configs.items():
        if input_size(config) != tuple(size):
            raise ValueError(f'{name} is for images of {input_size(config)}, '
                             f'ours for {tuple(size)} (width, height)')
        yield name, config, build_model(config, device)


def training_batch(config: Config, batch_size: int, seed: int = 0) -> dict:
    """Random images with random keypoints, as a config's loader gives them.

    Args:
        config: its ``GenerateTarget`` and ``PackPoseInputs`` encode the
            keypoints.
        batch_size: number of images (B).
        seed: the same images and keypoints for each config of a size.

    Returns:
        ``inputs``, (B, 3, H, W) uint8, and ``data_samples``.
    """
    init_default_scope('mmpose')
    pipeline = Compose([
        _part(config, name) for name in ('GenerateTarget', 'PackPoseInputs')
    ])
    width, height = input_size(config)
    count = config.model.head.out_channels
    random = np.random.RandomState(seed)
    samples = []
    for index in range(batch_size):
        keypoints = random.uniform(0, (width, height), (1, count, 2)).astype(
            np.float32)
        samples.append(
            pipeline(
                dict(
                    img=random.randint(0, 256, (height, width, 3), np.uint8),
                    id=index,
                    img_id=index,
                    img_path='',
                    ori_shape=(height, width),
                    img_shape=(height, width),
                    input_size=(width, height),
                    input_center=np.array([width, height], np.float32) / 2,
                    input_scale=np.array([width, height], np.float32),
                    flip_indices=list(range(count)),
                    bbox=np.array([[0, 0, width, height]], np.float32),
                    bbox_score=np.ones(1, np.float32),
                    bbox_scale=np.array([[width, height]], np.float32),
                    keypoints=keypoints,
                    transformed_keypoints=keypoints,
                    keypoints_visible=np.ones((1, count), np.float32),
                    dataset_keypoint_weights=np.ones(count, np.float32))))
    return dict(
        inputs=default_collate([sample['inputs'] for sample in samples]),
        data_samples=[sample['data_samples'] for sample in samples])


def _part(config: Config, name: str) -> Any:
    """A transform of the config's training pipeline."""
    pipeline: list[Any] = config.train_dataloader.dataset.pipeline
    for transform in pipeline:
        if transform.type == name:
            return transform
    raise ValueError(f'the training pipeline of the config has no {name}')
