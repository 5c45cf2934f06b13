"""Published files become checkpoints with the port's own outputs."""
import numpy as np
import pytest
import torch
from convert_checkpoint import convert_checkpoint, matching_config
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from ports import port_of, randomised
from princeton_network import PrincetonNetwork
from reference_network import reference_network

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.models.weights.key_maps import (
    find_layout,
    read_arguments,
    rename_weights,
)
from hourglass_plugin.models.weights.loading import (
    load_weights,
    read_checkpoint,
)
from hourglass_plugin.resources import config_path

BEARPAW = dict(stem_channels=(64, 128, 256), num_keypoints=16)


def bearpaw_weights():
    """Weights by the port's names, as data parallel training saved them."""
    torch.manual_seed(0)
    weights = port_of(randomised(StackedHourglass(num_stacks=2, **BEARPAW)))
    return {f'module.{name}': weights[name] for name in weights}


@pytest.fixture(scope='module')
def image():
    """Noise, (64, 128, 3) uint8, BGR as OpenCV reads it."""
    return np.random.RandomState(0).randint(0, 256, (64, 128, 3), np.uint8)


def rgb_in_unit_range(image):
    """The ports' input, (1, 3, 64, 128) float64."""
    rgb = image[:, :, ::-1].transpose(2, 0, 1).astype(np.float64)
    return torch.from_numpy(rgb / 255)[None]


def outputs_of(config_name, checkpoint, image):
    """Heatmaps of every stack, from the image to the network's end."""
    config = Config.fromfile(config_path(config_name))
    init_default_scope('mmpose')
    model = MODELS.build(config.model).eval()
    load_weights(model, read_checkpoint(str(checkpoint)), str(checkpoint))
    inputs = torch.from_numpy(image.transpose(2, 0, 1).copy())
    batch = model.data_preprocessor(
        dict(inputs=[inputs], data_samples=[]), training=False)
    with torch.no_grad():
        return model.backbone(batch['inputs'])


def assert_same_heatmaps(outputs, expected):
    for ours, theirs in zip(outputs, expected):
        assert theirs.std() > 0.1  # so that 1e-5 is small beside it
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_bearpaws_file(tmp_path, image):
    source, target = tmp_path / 'model_best.pth.tar', tmp_path / 'a/hg2.pth'
    weights = bearpaw_weights()
    content = dict(
        epoch=90,
        state_dict=weights,
        best_acc=np.float64(0.87),
        optimizer=dict(state={}, param_groups=[]))
    torch.save(content, source)
    done = convert_checkpoint(str(source), str(target))
    assert 'bearpaw' in done.config and done.options == done.remarks == []
    written = torch.load(target, weights_only=True)
    assert sorted(written) == ['meta', 'state_dict']
    assert written['meta']['config'] == done.config
    assert all(name.startswith('backbone.') for name in written['state_dict'])
    assert list(target.parent.iterdir()) == [target]
    assert done.num_weights == sum(
        tensor.numel() for name, tensor in weights.items()
        if name.endswith(('.weight', '.bias')))

    # The port's own way: RGB in [0, 1] less MPII's mean.
    mean = torch.tensor([0.4404, 0.4440, 0.4327]).view(1, 3, 1, 1)
    bare = {name[len('module.'):]: tensor for name, tensor in weights.items()}
    assert_same_heatmaps(
        outputs_of(done.config, target, image),
        reference_network(bare, (rgb_in_unit_range(image) - mean).float(), 2,
                          1, 4))


def test_princetons_file(tmp_path, image):
    theirs = PrincetonNetwork(2, 256, 16, stem=(64, 128))
    expected = theirs(rgb_in_unit_range(image).float())
    source, target = tmp_path / 'checkpoint.pt', tmp_path / 'ours.pth'
    torch.save(
        dict(state_dict={
            f'model.module.{name}': tensor for name, tensor in theirs.items()
        }, epoch=3), source)
    done = convert_checkpoint(str(source), str(target))
    assert 'bearpaw' not in done.config and done.options == []
    assert done.num_weights == 6_570_400
    assert [remark[:2] for remark in done.remarks] == ['58']
    assert_same_heatmaps(outputs_of(done.config, target, image), expected)


@pytest.mark.parametrize('arguments, part_of_name, options', [
    (dict(num_stacks=8), 'hg8', []),
    (dict(num_stacks=5), 'hg2', ['model.backbone.num_stacks=5']),
    (dict(num_stacks=1, num_blocks=4), 'hg1', [
        'model.backbone.num_blocks=4']),
    (dict(num_stacks=2, num_keypoints=14), 'custom', [
        'model.backbone.stem_channels="[64,128,256]"',
        'model.data_preprocessor.mean="[112.302,113.22,110.3385]"'
    ]),
])
def test_options_for_what_no_config_has(arguments, part_of_name, options):
    with torch.device('meta'):
        weights = port_of(StackedHourglass(**{**BEARPAW, **arguments}))
        name, found = matching_config(
            find_layout(weights),
            read_arguments(rename_weights(weights).weights))
    assert part_of_name in name and found == options


def test_nothing_is_written_from_a_file_that_does_not_fit(tmp_path):
    source, target = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    own = StackedHourglass(num_stacks=1, num_keypoints=16, feat_channels=16)
    group_norm = StackedHourglass(
        norm_cfg=dict(type='GN', num_groups=4), num_stacks=1, feat_channels=16)
    for content in (dict(epoch=3), own.state_dict(), port_of(group_norm),
                    dict(port_of(own), tail=torch.zeros(3))):
        torch.save(content, source)
        with pytest.raises(ValueError) as raised:
            convert_checkpoint(str(source), str(target))
        assert str(raised.value).startswith(str(source))
    before = source.read_bytes()
    with pytest.raises(ValueError):
        convert_checkpoint(str(source), str(source))
    with pytest.raises(FileNotFoundError):
        convert_checkpoint(str(tmp_path / 'no.pth'), str(target))
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == [source]
