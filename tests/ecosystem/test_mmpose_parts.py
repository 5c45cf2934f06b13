"""MMPose's picture hook and averaged weights in our configs."""
import json

import torch
from mmpose.apis import init_model
from mmpose_page import python_block
from tool_process import ROOT, run_here

from hourglass_plugin.visualization import read_image


def run_test(reader, config, checkpoint, work_dir):
    """Scores of tools/test.py."""
    out = work_dir / 'scores.json'
    run_here(ROOT / 'tools' / 'test.py',
             [config, checkpoint, '--work-dir', work_dir, '--out', out],
             reader.folder)
    return json.loads(out.read_text())


def test_mmposes_hook_draws_while_we_evaluate(reader, here, tmp_path):
    config = reader.folder / 'mmposes_pictures.py'
    config.write_text("_base_ = './my_people.py'\n" +
                      python_block('PoseVisualizationHook'))
    scores = run_test(reader, config, reader.checkpoint, tmp_path)
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
    run_here(ROOT / 'tools' / 'train.py', [config, '--work-dir', tmp_path],
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
        scores = run_test(reader, other, path, tmp_path)
        assert scores == {metric: validated[metric] for metric in scores}
    model = init_model('my_people.py', str(path), device='cpu')
    torch.testing.assert_close(model.state_dict(), averaged, rtol=0, atol=0)
