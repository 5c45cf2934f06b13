"""Published files become checkpoints that give the port's own outputs."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from princeton_network import PrincetonNetwork
from reference_network import reference_name, reference_network

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.models.weights.conversion import (
    convert_checkpoint,
    matching_config,
)
from hourglass_plugin.models.weights.key_maps import (
    find_layout,
    read_arguments,
)
from hourglass_plugin.models.weights.loading import (
    load_weights,
    read_checkpoint,
)
from hourglass_plugin.models.weights.state_dicts import convert
from hourglass_plugin.resources import config_path

MPII = 'body_2d_keypoint/topdown_heatmap/mpii/'
CUSTOM = 'custom_dataset/td-hm_hg2_1xb16-100e_custom-256x256.py'
BEARPAW = dict(stem_channels=(64, 128, 256), num_keypoints=16)


def with_statistics(network):
    """Running statistics, and heatmaps of about 1, as after training."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith('running_mean'):
                tensor.normal_(0, 0.1, generator=generator)
            elif name.endswith('running_var'):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif name.endswith(('heatmaps.weight', 'outs.0.conv.weight',
                                'outs.1.conv.weight')):
                tensor.normal_(0, 0.05, generator=generator)
    return network.eval()


def bearpaw_weights(num_stacks=2, **arguments):
    """Weights by the port's names, as data parallel training saved them."""
    torch.manual_seed(0)
    network = with_statistics(
        StackedHourglass(num_stacks=num_stacks, **{**BEARPAW, **arguments}))
    return {
        f'module.{reference_name(name, 4)}': tensor
        for name, tensor in network.state_dict().items()
    }


@pytest.fixture(scope='module')
def photograph():
    """Noise, (64, 128, 3) uint8, BGR as OpenCV reads it."""
    return np.random.RandomState(0).randint(0, 256, (64, 128, 3), np.uint8)


def rgb_in_unit_range(photograph):
    """What the ports' loaders make of it, (1, 3, 64, 128) float64."""
    rgb = photograph[:, :, ::-1].transpose(2, 0, 1).astype(np.float64)
    return torch.from_numpy(rgb / 255)[None]


def outputs_of(config_name, options, checkpoint, photograph):
    """Heatmaps of every stack, from the photograph to the network's end."""
    config = Config.fromfile(config_path(config_name))
    config.merge_from_dict(options)
    init_default_scope('mmpose')
    model = MODELS.build(config.model).eval()
    load_weights(model, read_checkpoint(str(checkpoint)), str(checkpoint))
    inputs = torch.from_numpy(photograph.transpose(2, 0, 1).copy())
    batch = model.data_preprocessor(
        dict(inputs=[inputs], data_samples=[]), training=False)
    with torch.no_grad():
        return model.backbone(batch['inputs'])


def test_bearpaws_file(tmp_path, photograph):
    weights = bearpaw_weights()
    torch.save(
        dict(
            epoch=90,
            arch='hg',
            state_dict=weights,
            best_acc=np.float64(0.87),
            optimizer=dict(state={}, param_groups=[])),
        tmp_path / 'model_best.pth.tar')
    done = convert_checkpoint(
        str(tmp_path / 'model_best.pth.tar'), str(tmp_path / 'hg2.pth'))
    assert done.config == (
        MPII + 'td-hm_hg2-bearpaw_1xb6-220e_mpii-256x256.py', [], False)
    assert done.remarks == []
    # The table's 6,570,400 of the paper's network, and what a wider stem
    # takes. Second residual: 128 to 256 channels instead of 128; third: 256
    # to 256 instead of 128 to 256. Weights of a residual from a to b with
    # h = b / 2: norms 2a + 4h, 1x1 ah + h, 3x3 9hh + h, 1x1 hb + b, and a
    # skip of ab + b where a and b differ.
    second = (2 * 128 + 4 * 128 + 128 * 128 + 128 + 9 * 128**2 + 128 +
              128 * 256 + 256 + 128 * 256 + 256)
    third = (2 * 256 + 4 * 128 + 256 * 128 + 128 + 9 * 128**2 + 128 +
             128 * 256 + 256)
    paper_second = (2 * 128 + 4 * 64 + 128 * 64 + 64 + 9 * 64**2 + 64 +
                    64 * 128 + 128)
    paper_third = second
    assert done.num_weights == (6_570_400 + second + third - paper_second -
                                paper_third)

    # The port's own way: RGB in [0, 1] less MPII's mean.
    mean = torch.tensor([0.4404, 0.4440, 0.4327]).view(1, 3, 1, 1)
    image = (rgb_in_unit_range(photograph) - mean).float()
    bare = {name[len('module.'):]: tensor for name, tensor in weights.items()}
    expected = reference_network(bare, image, 2, 1, 4)
    outputs = outputs_of(done.config.name, {}, tmp_path / 'hg2.pth',
                         photograph)
    for ours, theirs in zip(outputs, expected):
        assert theirs.std() > 0.1  # so that 1e-5 is small beside it
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_princetons_file(tmp_path, photograph):
    torch.manual_seed(0)
    theirs = with_statistics(
        PrincetonNetwork(2, 256, 16, stem=(64, 128)))
    torch.save(
        dict(state_dict={
            f'model.module.{name}': tensor
            for name, tensor in theirs.state_dict().items()
        }, epoch=3), tmp_path / 'checkpoint.pt')
    done = convert_checkpoint(
        str(tmp_path / 'checkpoint.pt'), str(tmp_path / 'ours.pth'))
    assert done.config == (
        MPII + 'td-hm_hg2_1xb6-220e_mpii-256x256.py', [], False)
    assert done.num_weights == 6_570_400
    [dropped] = done.remarks
    assert dropped.startswith('dropped 58 tensors')
    assert 'hgs.1.0.low2.low2.low2.low2.skip_layer.conv.bias' in dropped
    with torch.no_grad():
        expected = theirs(rgb_in_unit_range(photograph).float())
    outputs = outputs_of(done.config.name, {}, tmp_path / 'ours.pth',
                         photograph)
    for ours, their in zip(outputs, expected):
        assert their.std() > 0.1
        torch.testing.assert_close(ours, their, rtol=0, atol=1e-5)


def test_what_is_written_is_plain(tmp_path):
    torch.save(bearpaw_weights(1), tmp_path / 'theirs.pth')
    convert_checkpoint(
        str(tmp_path / 'theirs.pth'), str(tmp_path / 'a' / 'ours.pth'))
    written = torch.load(tmp_path / 'a' / 'ours.pth', weights_only=True)
    assert sorted(written) == ['meta', 'state_dict']
    assert written['meta']['config'] == (
        MPII + 'td-hm_hg1-bearpaw_1xb6-220e_mpii-256x256.py')
    assert all(name.startswith('backbone.') for name in written['state_dict'])
    assert [path.name for path in (tmp_path / 'a').iterdir()] == ['ours.pth']


@pytest.mark.parametrize('arguments, name, options', [
    (dict(num_stacks=8),
     MPII + 'td-hm_hg8-bearpaw_1xb6-220e_mpii-256x256.py', []),
    (dict(num_stacks=5),
     MPII + 'td-hm_hg2-bearpaw_1xb6-220e_mpii-256x256.py',
     ['model.backbone.num_stacks=5']),
    (dict(num_stacks=1, num_blocks=4),
     MPII + 'td-hm_hg1-bearpaw_1xb6-220e_mpii-256x256.py',
     ['model.backbone.num_blocks=4']),
    (dict(num_stacks=2, num_keypoints=14), CUSTOM, [
        'model.backbone.stem_channels="[64,128,256]"',
        'model.data_preprocessor.mean="[112.302,113.22,110.3385]"'
    ]),
])
def test_options_say_what_no_config_has(arguments, name, options):
    with torch.device('meta'):
        weights = {
            reference_name(ours, 4): tensor
            for ours, tensor in StackedHourglass(
                **{**BEARPAW, **arguments}).state_dict().items()
        }
        found = matching_config(
            find_layout(weights), read_arguments(convert(weights).weights))
    assert (found.name, found.options) == (name, options)
    assert found.is_example == name.startswith('own')


def test_other_keypoints_keep_all_but_the_heatmaps(tmp_path):
    weights = bearpaw_weights(2)
    torch.save(weights, tmp_path / 'theirs.pth')
    done = convert_checkpoint(
        str(tmp_path / 'theirs.pth'), str(tmp_path / 'ours.pth'), 4)
    assert done.arguments['num_keypoints'] == 4
    [remark] = done.remarks
    # Weight and bias of two predictions and one feedback.
    assert 'for 16 keypoints, the network is for 4: 6 tensors' in remark
    written = read_checkpoint(str(tmp_path / 'ours.pth'))['state_dict']
    for name, tensor in written.items():
        ours = name[len('backbone.'):]
        theirs = weights[f'module.{reference_name(ours, 4)}']
        if 'heatmaps' in name:
            assert 4 in tensor.shape or name.endswith('merge_heatmaps.bias')
        else:
            torch.testing.assert_close(tensor, theirs, rtol=0, atol=0)
    # Anew: near zero, not theirs.
    assert written['backbone.stacks.0.heatmaps.weight'].std() < 0.002


def test_nothing_is_written_of_what_does_not_fit(tmp_path):
    source, target = str(tmp_path / 'theirs.pth'), tmp_path / 'ours.pth'

    def message(content):
        torch.save(content, source)
        with pytest.raises(ValueError) as raised:
            convert_checkpoint(source, str(target))
        assert list(tmp_path.iterdir()) == [tmp_path / 'theirs.pth']
        assert str(raised.value).startswith(source)
        return str(raised.value)

    weights = bearpaw_weights(1)
    for name in ('module.hg.0.hg.3.1.0.conv2.bias', 'module.bn1.running_mean'):
        fewer = {key: value for key, value in weights.items() if key != name}
        assert f'1 of the weights are missing: {name[7:]} (here ' in message(
            fewer)
    no_stack = {
        key: value for key, value in bearpaw_weights(2).items()
        if not key.startswith('module.hg.1.')
    }
    # 13 residuals, 3 convolutions of 2 and 3 norms of 4 tensors in each; that
    # batches were not counted is forgiven.
    assert f'{13 * 18} of the weights are missing: hg.1.hg.3.0.0.bn1.wei' in (
        message(no_stack))
    assert 'left over: res.0.3.bn1.weight (here' in message({
        **weights, 'module.res.0.3.bn1.weight': torch.zeros(256)
    })
    assert 'of another shape: score.0.bias (here' in message({
        **weights, 'module.score.0.bias': torch.zeros(3)
    })
    assert 'unknown to W. Yang\'s port: fc.weight' in message({
        **weights, 'module.fc.weight': torch.zeros(3)
    })
    assert 'there are no weights in it, but epoch' in message({'epoch': 3})
    own = StackedHourglass(num_stacks=1, num_keypoints=16, feat_channels=16)
    assert 'has the names of this package already' in message(
        own.state_dict())

    (tmp_path / 'theirs.pth').write_text('no weights')
    with pytest.raises(ValueError, match='is not a checkpoint of PyTorch'):
        convert_checkpoint(source, str(target))
    with pytest.raises(ValueError, match='would overwrite'):
        convert_checkpoint(source, source)
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        convert_checkpoint(str(tmp_path / 'other.pth'), str(target))
    assert not target.exists()
