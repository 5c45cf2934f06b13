"""tools/misc/convert_checkpoint.py: its printed commands work."""
import shlex

import pytest
import torch
from ports import port_of

from hourglass_plugin.models import StackedHourglass


@pytest.fixture
def theirs(tmp_path):
    """Write a port's file; returns its network."""

    def write(num_keypoints=16):
        torch.manual_seed(0)
        network = StackedHourglass(
            num_stacks=2,
            feat_channels=16,
            stem_channels=(4, 8, 16),
            num_keypoints=num_keypoints)
        weights = port_of(network)
        torch.save({f'module.{name}': weights[name] for name in weights},
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
        'model.backbone.stem_channels=[4,8,16]'
    ]
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


def test_training_from_weights_that_do_not_fit_is_refused(
        error_of, project, theirs, tmp_path):
    """A port's file as a checkpoint, a missing file, other stacks."""
    theirs()
    port, missing = (str(tmp_path / name)
                     for name in ('theirs.pth', 'missing.pth'))
    for load_from, file, named in ((port, None, 'convert_checkpoint'),
                                   (None, missing, missing),
                                   (None, port, 'num_stacks')):
        init_cfg = file and dict(type='Pretrained', checkpoint=file)
        backbone = dict(
            num_stacks=3, stem_channels=(4, 8, 16), init_cfg=init_cfg)
        config = tmp_path / 'published.py'
        config.write_text(f'_base_ = [{str(project.config)!r}]\n'
                          f'model = dict(backbone={backbone!r})\n'
                          f'load_from = {load_from!r}\n')
        assert named in error_of('train', config, '--work-dir', tmp_path)
