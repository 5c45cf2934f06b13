"""configs/cornernet/README.md, followed with a few drawn shapes."""
import json
import re

import pytest

pytest.importorskip('mmdet', reason='requirements/mminstall.txt lists mmdet')

from mmengine.registry import init_default_scope
from page import ROOT, commands, follow, page_text
from synthetic_shapes import make_sample

from hourglass_plugin.visualization import read_image

PAGE = page_text('configs/cornernet/README.md')
QUICK = ['centernet_hg1_quick', 'cornernet_hg1_quick']
# Beginnings of commands that are not followed here, and why.
NOT_FOLLOWED = {
    'bash tools/quickstart.sh': 'minutes; its steps are the other commands',
    'bash tools/dist_': 'several processes; tests/tools/test_tool_runs.py',
    'pip install': 'changes the environment',
}
SHORT = [
    'train_cfg.max_epochs=1', 'train_cfg.val_interval=1',
    'param_scheduler.0.total_steps=1', 'model.backbone.feat_channels=8',
    'model.bbox_head.in_channels=8', *(
        f'{phase}_dataloader.{setting}' for phase in ('train', 'val', 'test')
        for setting in ('batch_size=4', 'num_workers=0',
                        'persistent_workers=False'))
]


@pytest.fixture(scope='module')
def followed(clone):
    """The folder, and what each command printed."""
    printed = {}
    for command in commands(PAGE):
        if command.startswith(tuple(NOT_FOLLOWED)) or '_coco.py' in command:
            continue
        ours = re.sub(r'epoch_\d+', 'epoch_1', command)
        if 'generate_synthetic_shapes' in command:
            more = ('--num-train', 8, '--num-val', 4, '--workers', 1)
        else:
            more = ('--cfg-options', *SHORT)
        printed[command] = follow(ours, clone, *more)
    yield clone, printed
    init_default_scope('mmpose')


def test_both_are_trained_tested_and_drawn(followed):
    folder, printed = followed
    for name in QUICK:
        assert (folder / 'work_dirs' / name / 'epoch_1.pth').is_file()
        output = ''.join(text for command, text in printed.items()
                         if f'tools/test.py configs/cornernet/{name}' in
                         command)
        assert 'coco/bbox_mAP' in output


def test_scores_and_pictures(followed):
    folder, _ = followed
    scores = json.loads((folder / 'scores.json').read_text())
    assert {'coco/bbox_mAP', 'coco/bbox_mAP_50'} <= set(scores)
    pictures = folder / 'pictures'
    assert sorted(path.stem for path in pictures.iterdir()) == [
        f'val_{index:06d}' for index in range(4)
    ]
    # Ground truth and prediction side by side.
    height, width = make_sample(0, 'val', 0).image.shape[:2]
    (picture, ) = pictures.glob('val_000000.*')
    assert read_image(picture).shape == (height, 2 * width, 3)


def test_the_pages_configs_are_there():
    named = set(re.findall(r'\]\((\w[^)]*\.py)\)', PAGE))
    there = {path.name for path in (ROOT / 'configs/cornernet').glob('*.py')}
    assert named == there


@pytest.mark.parametrize('command', [
    'predict.py data/synthetic_shapes/images {} {} --out people',
    'browse_dataset.py {} --out people',
    'export_torch.py {} {} model.pt2',
])
def test_tools_for_poses_say_so(followed, command):
    folder, _ = followed
    words = command.format('configs/detection/centernet/centernet_hg1-w64_1xb16-4e_synthetic-shapes.py',
                           'work_dirs/centernet_hg1-w64_1xb16-4e_synthetic-shapes/epoch_1.pth')
    with pytest.raises(pytest.fail.Exception, match='predicts boxes'):
        follow(f'python tools/{words}', folder)
