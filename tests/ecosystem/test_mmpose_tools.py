"""MMPose's own tools, picture hook and averages with ours."""
import json
import re
import shlex
import sys

import pytest
import torch
from mmpose.apis import init_model
from mmpose_page import python_block, shell_block
from tool_process import run_here, tool_path

from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image


def weights_of(path):
    return torch.load(path, weights_only=False)['state_dict']


def our_scores(reader, config, checkpoint, work_dir):
    """Scores of tools/test.py."""
    out = work_dir / 'scores.json'
    run_here(tool_path('test'),
             [config, checkpoint, '--work-dir', work_dir, '--out', out],
             reader.folder)
    return json.loads(out.read_text())


def test_a_config_trains_the_same_weights_under_mmposes_tool_and_ours(
        reader, trained):
    ours, theirs = weights_of(trained.checkpoint), weights_of(
        reader.checkpoint)
    assert list(ours) == list(theirs)
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name


def test_testing_with_mmposes_tool(reader):
    # Five people in batches of two.
    assert '[1][3/3]' in reader.printed and '[1][4/' not in reader.printed
    assert 'loss_stack_1' in reader.printed
    meta = torch.load(reader.checkpoint, weights_only=False)['meta']
    assert meta['dataset_meta']['dataset_name'] == 'lsp'
    scores = json.loads((reader.folder / 'scores.json').read_text())
    assert 0 < scores['lsp/PCK@1.5'] < 100


@pytest.mark.parametrize('is_published', [False, True])
def test_our_tool_computes_mmposes_scores(is_published, reader, tmp_path):
    """MMPose's publish_model.py keeps weights and meta, in another format."""
    path = reader.checkpoint
    if is_published:
        content = torch.load(path, weights_only=False)
        path = tmp_path / 'published.pth'
        torch.save({key: content[key] for key in ('meta', 'state_dict')},
                   path, _use_new_zipfile_serialization=False)
    assert our_scores(reader, 'my_people.py', path, tmp_path) == json.loads(
        (reader.folder / 'scores.json').read_text())


@pytest.fixture
def with_plugin(reader, monkeypatch):
    """Run the page's line that calls a script of MMPose, in this process."""
    definition, *lines = shell_block('with_plugin()').splitlines()
    code = shlex.split(definition)[shlex.split(definition).index('-c') + 1]

    def run(name):
        (line, ) = [line for line in lines if name in line]
        words = shlex.split(line.replace('$TOOLS', reader.tools))
        assert words[0] == 'with_plugin'
        monkeypatch.chdir(reader.folder)
        monkeypatch.setattr(sys, 'argv', ['-c', *words[1:]])
        exec(code, {})

    return run


def test_demo_and_browser_draw_poses(with_plugin, reader):
    with_plugin('image_demo.py')
    image = read_image(reader.folder / 'my_images' / 'val0.png')
    drawn = read_image(reader.folder / 'demo.png')
    # The image in its box, and below it with the heatmaps.
    assert drawn.shape == (200, 100, 3)
    assert (drawn[0] == [0, 255, 0]).all()
    assert (drawn[100:] != image).any(axis=2).mean() > 0.9
    with_plugin('browse_dataset.py')
    for index in range(5):
        crop = read_image(reader.folder / 'browse' / f'train{index}.png')
        assert crop.shape == (128, 128, 3)
        for side in ('right', 'left'):
            color = LSP.joint_color(f'{side}_wrist')[::-1]  # BGR
            assert (crop == color).all(axis=2).sum() > 10


def test_counted_weights_are_the_networks(with_plugin, reader, capsys):
    with_plugin('get_flops.py')
    count = sum(
        value.numel() for name, value in weights_of(reader.checkpoint).items()
        if not re.search('running_|num_batches', name))
    printed = capsys.readouterr().out
    found = re.search(r'Params: ([\d.]+)K', printed)
    assert float(found[1]) == pytest.approx(count / 1e3, rel=1e-3)
    assert 'Input shape: (1, 3, 128, 128)' in printed


def test_mmposes_hook_draws_while_we_evaluate(reader, here, tmp_path):
    config = reader.folder / 'mmposes_pictures.py'
    config.write_text("_base_ = './my_people.py'\n" +
                      python_block('PoseVisualizationHook'))
    scores = our_scores(reader, config, reader.checkpoint, tmp_path)
    assert scores == json.loads((reader.folder / 'scores.json').read_text())
    pictures = sorted(tmp_path.glob('*/vis_data/vis_image/*.png'))
    assert len(pictures) == 5
    for drawn in map(read_image, pictures):
        assert drawn.shape == (200, 100, 3)  # with the heatmaps below
        # The box of 80 pixels around (48, 49).
        assert drawn[9, 48].tolist() == [0, 255, 0]


def test_averaged_weights_are_trained_tested_and_used(reader, here,
                                                      tmp_path):
    config = reader.folder / 'averaged.py'
    # The page's average hardly moves in two iterations.
    block = python_block('EMAHook').replace('0.0002', '0.5')
    config.write_text("_base_ = './my_people.py'\n" + block)
    run_here(tool_path('train'), [config, '--work-dir', tmp_path],
             reader.folder)
    path = tmp_path / 'epoch_1.pth'
    checkpoint = torch.load(path, weights_only=False)
    averaged = checkpoint['state_dict']
    # The last step is small: it rounds away in weights far from zero.
    assert any((tensor != checkpoint['ema_state_dict'][f'module.{name}']).any()
               for name, tensor in averaged.items())
    (log, ) = tmp_path.glob('*/vis_data/scalars.json')
    validated = json.loads(log.read_text().splitlines()[-1])
    # With the hook in the config and without it: the average.
    for other in (config, 'my_people.py'):
        scores = our_scores(reader, other, path, tmp_path)
        assert scores == {metric: validated[metric] for metric in scores}
    model = init_model('my_people.py', str(path), device='cpu')
    torch.testing.assert_close(model.state_dict(), averaged, rtol=0, atol=0)
