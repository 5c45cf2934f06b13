"""tools/convert_checkpoint.py: what it says, and that its commands work."""
import shlex

import torch
from reference_network import reference_name

from hourglass_plugin.models import StackedHourglass

BEARPAW = ('configs/body_2d_keypoint/topdown_heatmap/mpii/'
           'td-hm_hg2-bearpaw_1xb6-220e_mpii-256x256.py')


def write_ports_file(path, num_keypoints=16):
    torch.manual_seed(0)
    network = StackedHourglass(
        num_stacks=2,
        feat_channels=16,
        stem_channels=(4, 8, 16),
        num_keypoints=num_keypoints)
    torch.save(
        {
            f'module.{reference_name(name, 4)}': tensor
            for name, tensor in network.state_dict().items()
        }, path)
    return network


def test_the_commands_that_it_prints_work(call_tool, tmp_path, capsys,
                                          monkeypatch, project):
    network = write_ports_file(tmp_path / 'theirs.pth')
    target = tmp_path / 'ours.pth'
    call_tool('convert_checkpoint', tmp_path / 'theirs.pth', target)
    lines = capsys.readouterr().out.splitlines()
    num_weights = sum(weight.numel() for weight in network.parameters())
    assert lines[:3] == [
        f"{tmp_path}/theirs.pth: W. Yang's port, 2 stacks of 1 residual "
        'modules, 16 keypoints',
        f'{target}: {num_weights:,} weights written',
        f'It fits {BEARPAW}:',
    ]
    test, predict = (shlex.split(line) for line in lines[3:])
    # No config has a network this small, so options say it.
    assert test == [
        'python', 'tools/test.py', BEARPAW,
        str(target), '--cfg-options', 'model.backbone.feat_channels=16',
        'model.backbone.stem_channels=[4,8,16]'
    ]
    predict[2] = project.folder / 'images' / 'val0.png'
    call_tool('predict', *predict[2:], '--out', tmp_path / 'predictions')
    assert (tmp_path / 'predictions' / 'val0.png').is_file()


def test_weights_for_other_keypoints_are_a_start(call_tool, tmp_path, capsys):
    write_ports_file(tmp_path / 'theirs.pth')
    call_tool('convert_checkpoint', tmp_path / 'theirs.pth',
              tmp_path / 'ours.pth', '--num-keypoints', 4)
    lines = capsys.readouterr().out.splitlines()
    assert 'network is for 4: 6 tensors start anew: stacks.0.heat' in lines[1]
    assert lines[3].startswith('It fits a copy of configs/custom_dataset/')
    assert shlex.split(lines[4])[:3] == [
        'python', 'tools/train.py', 'configs/custom_dataset/my_keypoints.py'
    ]
    assert shlex.split(lines[4])[-1] == f'load_from={tmp_path}/ours.pth'


def test_files_that_are_no_weights(error_of, tmp_path):
    source, target = tmp_path / 'photo.jpg', tmp_path / 'ours.pth'
    source.write_bytes(b'\xff\xd8\xff\xe0' + bytes(100))
    assert error_of('convert_checkpoint', source, target) == (
        f'{source} is not a checkpoint of PyTorch, or only a part of one')
    assert error_of('convert_checkpoint', tmp_path / 'no.pth', target) == (
        f'there is no checkpoint {tmp_path}/no.pth')
    assert not target.exists()


def test_training_starts_from_published_weights(call_tool, error_of, project,
                                                tmp_path, monkeypatch):
    """LSP's 14 keypoints from a port's 16, and the port's own names."""
    path = tmp_path / 'theirs.pth'
    network = write_ports_file(path)

    def options(num_stacks=2, file=path, load_from=None):
        config = project.folder / 'published.py'
        init_cfg = dict(type='Pretrained', checkpoint=str(file))
        backbone = dict(
            num_stacks=num_stacks,
            stem_channels=(4, 8, 16),
            init_cfg=None if load_from else init_cfg)
        config.write_text(f"""
_base_ = [{str(project.config)!r}]
model = dict(backbone={backbone!r})
load_from = {load_from!r}
""")
        return config, '--work-dir', project.folder / 'published'

    started = {}
    monkeypatch.setattr('mmengine.runner.Runner.train',
                        lambda runner: started.update(model=runner.model))
    call_tool('train', *options())
    backbone = started['model'].backbone
    assert torch.equal(backbone.stacks[1].conv.weight,
                       network.stacks[1].conv.weight)
    assert backbone.stacks[1].heatmaps.out_channels == 14

    assert error_of('train', *options(load_from=str(path))).startswith(
        f'load_from={path}: none of its {len(network.state_dict())} names is')
    missing = tmp_path / 'missing.pth'
    assert error_of('train', *options(file=missing)) == (
        f'there is no checkpoint {missing}')
    assert error_of('train', *options(num_stacks=1)).endswith(
        'with num_stacks=2; this one has num_stacks=1')
