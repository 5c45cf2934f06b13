"""MMPose's visualizer, its hook and its averaged weights in our configs."""
import json

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmpose.apis import inference_topdown, init_model
from mmpose.registry import VISUALIZERS
from mmpose.structures import merge_data_samples
from mmpose_page import ROOT, python_block, run_here

from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image


def test_visualizer_of_a_config_draws_pose_and_heatmaps(reader, here):
    config = Config.fromfile('my_people.py')
    config.model.test_cfg.output_heatmaps = True
    model = init_model(config, str(reader.checkpoint), device='cpu')
    visualizer = VISUALIZERS.build(config.visualizer)
    visualizer.set_dataset_meta(model.dataset_meta)
    image = np.zeros((100, 100, 3), np.uint8)
    sample = merge_data_samples(
        inference_topdown(model, image, [[10, 20, 90, 80]]))
    assert sample.pred_fields.heatmaps.shape == (14, 100, 100)
    # One peak at the place of the right wrist, (30, 40), in the box's crop.
    wrist = LSP.joints.index('right_wrist')
    sample.pred_instances.keypoints[:] = [[50, 50]]
    sample.pred_instances.keypoints[0, wrist] = [30, 40]
    heatmaps = np.zeros((14, 100, 100), np.float32)
    cv2.circle(heatmaps[wrist], (30, 40), 3, 1.0, -1)
    sample.pred_fields.heatmaps = heatmaps
    drawn = visualizer.add_datasample(
        'pose', image, sample, draw_gt=False, draw_heatmap=True, kpt_thr=-1)
    assert drawn.shape == (200, 100, 3)
    # Elbow and wrist are joined by a line of the side's colour.
    for place in ((40, 30), (45, 40)):
        assert tuple(drawn[place]) == LSP.joint_color('right_wrist')
    # Red is the highest, blue the lowest of MMPose's heatmaps.
    for place, is_high in (((140, 30), True), ((180, 80), False)):
        red, _, blue = drawn[place].astype(int)
        assert red != blue and (red > blue) == is_high


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
