"""tools/misc/convert_checkpoint.py: its printed commands work."""
import shlex

import pytest
import torch
from ports import port_of

from hourglass_plugin.engine import ResumableTrainLoop
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


def test_files_without_weights_are_one_line(error_of, tmp_path):
    broken, target = tmp_path / 'photo.jpg', tmp_path / 'ours.pth'
    broken.write_bytes(b'\xff\xd8\xff\xe0' + bytes(100))
    for source in (broken, tmp_path / 'no.pth'):
        assert str(source) in error_of('convert_checkpoint', source, target)
    assert not target.exists()


def test_training_starts_from_published_weights(call_tool, error_of, project,
                                                theirs, tmp_path, monkeypatch):
    """LSP's 14 keypoints from a port's 16, and the port's own names."""
    network, path = theirs(), tmp_path / 'theirs.pth'
    missing = tmp_path / 'missing.pth'

    def options(num_stacks=2, file=path, load_from=None):
        config = tmp_path / 'published.py'
        init_cfg = dict(type='Pretrained', checkpoint=str(file))
        backbone = dict(
            num_stacks=num_stacks,
            stem_channels=(4, 8, 16),
            init_cfg=None if load_from else init_cfg)
        config.write_text(f'_base_ = [{str(project.config)!r}]\n'
                          f'model = dict(backbone={backbone!r})\n'
                          f'load_from = {load_from!r}\n')
        return config, '--work-dir', tmp_path / 'published'

    started = {}
    monkeypatch.setattr(ResumableTrainLoop, 'run', lambda loop: started.update(
        model=loop.runner.model))
    call_tool('train', *options())
    backbone = started['model'].backbone
    assert torch.equal(backbone.stacks[1].conv.weight,
                       network.stacks[1].conv.weight)
    assert backbone.stacks[1].heatmaps.out_channels == 14
    for named, arguments in (('convert_checkpoint', dict(load_from=str(path))),
                             (str(missing), dict(file=missing)),
                             ('num_stacks', dict(num_stacks=1))):
        assert named in error_of('train', *options(**arguments))
