"""Published files become checkpoints with the port's own outputs."""
import shlex

import numpy as np
import pytest
import torch
from convert_checkpoint import convert_checkpoint, matching_config
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from ports import port_of, princeton_port_of, randomised
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
# Noise as OpenCV reads it, BGR.
IMAGE = np.random.RandomState(0).randint(0, 256, (64, 128, 3), np.uint8)


def prefixed(prefix, weights):
    return {f'{prefix}.{name}': weights[name] for name in weights}


def assert_same_heatmaps(config_name, checkpoint, network, mean):
    """From the image to the network's end; ports subtract a mean from RGB."""
    config = Config.fromfile(config_path(config_name))
    init_default_scope('mmpose')
    model = MODELS.build(config.model).eval()
    load_weights(model, read_checkpoint(str(checkpoint)), str(checkpoint))
    inputs = torch.from_numpy(IMAGE.transpose(2, 0, 1).copy())
    batch = model.data_preprocessor(
        dict(inputs=[inputs], data_samples=[]), training=False)
    rgb = torch.from_numpy(IMAGE[:, :, ::-1] / 255 - mean).float()
    with torch.no_grad():
        outputs = model.backbone(batch['inputs'])
        expected = reference_network(
            port_of(network), rgb.permute(2, 0, 1)[None], 2, 1, 4)
    for ours, theirs in zip(outputs, expected):
        assert theirs.std() > 0.1  # so that 1e-5 is small beside it
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_bearpaws_file(tmp_path):
    source, target = tmp_path / 'model_best.pth.tar', tmp_path / 'a/hg2.pth'
    torch.manual_seed(0)
    network = randomised(StackedHourglass(num_stacks=2, **BEARPAW))
    # As data parallel training saved them.
    torch.save(dict(
        epoch=90, state_dict=prefixed('module', port_of(network)),
        best_acc=np.float64(0.87),
        optimizer=dict(state={}, param_groups=[])), source)
    done = convert_checkpoint(str(source), str(target))
    assert 'bearpaw' in done.config and done.options == done.remarks == []
    written = torch.load(target, weights_only=True)
    assert sorted(written) == ['meta', 'state_dict']
    assert written['meta']['config'] == done.config
    assert all(name.startswith('backbone.') for name in written['state_dict'])
    assert list(target.parent.iterdir()) == [target]
    assert done.num_weights == sum(x.numel() for x in network.parameters())
    assert_same_heatmaps(done.config, target, network,
                         [0.4404, 0.4440, 0.4327])  # MPII's


def test_princetons_file(tmp_path):
    source, target = tmp_path / 'checkpoint.pt', tmp_path / 'ours.pth'
    torch.manual_seed(0)
    network = randomised(StackedHourglass(num_stacks=2, num_keypoints=16))
    torch.save(dict(epoch=3, state_dict=prefixed(
        'model.module', princeton_port_of(network))), source)
    done = convert_checkpoint(str(source), str(target))
    assert 'bearpaw' not in done.config and done.options == []
    assert done.num_weights == 6_570_400
    assert [remark[:2] for remark in done.remarks] == ['58']
    assert_same_heatmaps(done.config, target, network, 0)


@pytest.mark.parametrize('arguments, part_of_name, options', [
    (dict(num_stacks=8), 'hg8', []),
    (dict(num_stacks=5), 'hg2', ['model.backbone.num_stacks=5']),
    (dict(num_stacks=1, num_blocks=4), 'hg1', [
        'model.backbone.num_blocks=4']),
    (dict(num_stacks=2, num_keypoints=14), 'custom', [
        'model.backbone.stem_channels="[64,128,256]"',
        'model.data_preprocessor.mean="[112.302,113.22,110.3385]"']),
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
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == [source]


@pytest.fixture
def theirs(tmp_path):
    """Write a small port's file; returns its network."""

    def write(num_keypoints=16):
        network = StackedHourglass(
            num_stacks=2, feat_channels=16, stem_channels=(4, 8, 16),
            num_keypoints=num_keypoints)
        torch.save(prefixed('module', port_of(network)),
                   tmp_path / 'theirs.pth')
        return network

    return write


def test_printed_commands_work(call_tool, theirs, tmp_path, capsys, project):
    network, target = theirs(), tmp_path / 'ours.pth'
    call_tool('convert_checkpoint', tmp_path / 'theirs.pth', target)
    lines = capsys.readouterr().out.splitlines()
    num_weights = sum(weight.numel() for weight in network.parameters())
    assert f'{num_weights:,}' in lines[1]
    test, predict = (shlex.split(line) for line in lines[-2:])
    # No config has a network this small, so options say it.
    assert test[:2] == ['python', 'tools/test.py']
    assert test[3:] == [
        str(target), '--cfg-options', 'model.backbone.feat_channels=16',
        'model.backbone.stem_channels=[4,8,16]']
    predict[2] = project.folder / 'images' / 'val0.png'
    call_tool('predict', *predict[2:], '--out', tmp_path / 'predictions')
    assert (tmp_path / 'predictions' / 'val0.png').is_file()


@pytest.mark.parametrize('num_keypoints, script', [(4, 'test'),
                                                   (None, 'train')])
def test_other_keypoints_need_a_custom_config(num_keypoints, script, call_tool,
                                              theirs, tmp_path, capsys):
    theirs(num_keypoints)
    call_tool('convert_checkpoint', tmp_path / 'theirs.pth',
              tmp_path / 'ours.pth')
    command = capsys.readouterr().out.split('\n    python ')[1]
    assert command.startswith(
        f'tools/{script}.py configs/custom_dataset/my_keypoints.py ')
    assert f'{tmp_path}/ours.pth' in command


@pytest.mark.parametrize('options, named', [
    (['load_from={}/theirs.pth'], 'convert_checkpoint'),
    (['{init}.type=Pretrained', '{init}.checkpoint={}/none.pth'], 'none.pth'),
    (['{init}.type=Pretrained', '{init}.checkpoint={}/theirs.pth',
      'model.backbone.num_stacks=3'], 'num_stacks')])
def test_training_from_weights_that_do_not_fit_is_refused(
        options, named, error_of, project, theirs, tmp_path):
    theirs()
    assert named in error_of(
        'train', project.config, '--work-dir', tmp_path, '--cfg-options',
        'model.backbone.stem_channels=[4,8,16]',
        *(option.format(tmp_path, init='model.backbone.init_cfg')
          for option in options))
