"""README.md: its examples, and its commands with three drawn people."""
import json

import cv2
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from page import commands, follow, page_text, python_examples, run_python

PAGE = page_text('README.md')
NETWORK, CONFIG = sorted(
    python_examples(PAGE), key=lambda text: 'custom_imports' in text)
# Beginnings of commands that are not followed here, and why.
NOT_FOLLOWED = {
    'pip install': 'tests/packaging installs the wheel',
    'mim ': 'tests/packaging installs the wheel',
    'bash tools/quickstart.sh': 'minutes; continuous integration runs it',
    'bash tools/run_tests.sh': 'runs these tests',
    'bash tools/dist_': 'several processes; tests/tools/test_tool_runs.py',
    'python tools/train.py configs/body_2d_keypoint/topdown_heatmap/synthetic/td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py':
    'minutes; the quick start, longer',
    'python tools/prepare_': 'test_paper_page.py follows it',
    'python tools/analysis_tools/score_predictions.py': 'test_paper_page.py follows it',
    'python tools/benchmark.py': 'test_speed_page.py follows it',
    'python tools/convert_checkpoint.py': 'tests/tools/test_convert_tool.py',
    'python tools/predict.py FOLDER': 'test_predict_page.py follows it',
    'python tools/predict.py photo.jpg': 'test_predict_page.py follows it',
    'python tools/export_': 'test_deploy_page.py follows it',
    'python tools/publish_checkpoint.py': 'tests/test_publishing.py',
    'python tools/analysis_tools/compare_trainings.py': 'tests/tools/'
    'test_compare_trainings.py',
    'python tools/check_resume.py': 'tests/tools/test_check_resume.py, '
    'test_check_distributed.py and tests/studies',
}
PLACES = dict(
    INPUT='data/lspet/images',
    CONFIG='small.py',
    CHECKPOINT='work_dirs/small/epoch_1.pth',
    DIR='pictures')
# What the page says may be left out.
PLACES.update({
    '[CONFIG': PLACES['CONFIG'],
    'CHECKPOINT]': PLACES['CHECKPOINT']
})
SHORT = ('--cfg-options', 'train_cfg.max_epochs=1', 'train_cfg.val_interval=1',
         'train_dataloader.num_workers=0',
         'train_dataloader.persistent_workers=False',
         'val_dataloader.num_workers=0',
         'val_dataloader.persistent_workers=False')


@pytest.fixture(scope='module')
def followed(trained):
    """The folder, and what each command printed."""
    printed = {}
    for command in commands(PAGE):
        if command.startswith(tuple(NOT_FOLLOWED)):
            continue
        words = [PLACES.get(word, word) for word in command.split()]
        ours = ' '.join(words).replace(
            'hourglass_plugin/weights/lsp_hg2_128x128.pth',
            'work_dirs/td-hm_hg2-w128_1xb16-30e_lspet-128x128/epoch_1.pth')
        more = ()
        if 'configs/lsp/' in ours and 'mean_pose' not in ours:
            more = SHORT
        elif 'generate_synthetic_people' in ours:
            more = ('--num-train', 2, '--num-val', 1, '--workers', 1)
            ours = ours.replace('pictures', 'drawn')
        printed[command] = follow(ours, trained.folder, *more)
    return trained.folder, printed


def test_what_is_followed(followed):
    folder, printed = followed
    assert len(printed) >= 10
    # The comparison on photographs: both trained, one tested and drawn.
    for name in ('hg1_128x128', 'hg2_128x128'):
        assert (folder / 'work_dirs' / name / 'epoch_1.pth').is_file()
    assert len(list((folder / 'pictures').glob('lspet_val*.jpg'))) >= 3
    (mean, ) = [text for command, text in printed.items()
                if 'mean_pose.py configs' in command]
    assert 'PCK@0.2' in mean
    people = json.loads((folder / 'pictures/predictions.json').read_text())
    assert len(people['predictions']) == 6
    drawn = list((folder / 'drawn').rglob('*.jpg'))
    assert len(drawn) == 3
    assert cv2.imread(str(drawn[0])) is not None


def test_network_example():
    torch.manual_seed(0)
    names = run_python(
        NETWORK, torch=torch, images=torch.rand(1, 3, 128, 128))
    # Its comments say how many, and of which size at 256: a quarter.
    assert '8 x (B, 16, 64, 64)' in NETWORK
    assert [tuple(each.shape) for each in names['heatmaps']
            ] == [(1, 16, 32, 32)] * 8
    assert '2 x (B, 256, 64, 64)' in NETWORK
    assert [tuple(each.shape) for each in names['features']
            ] == [(1, 256, 32, 32)] * 2


def test_config_example(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    config = Config.fromfile(str(path))
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = MODELS.build(config.model).eval()
    with torch.no_grad():
        heatmaps = model(torch.rand(1, 3, 64, 64), None, mode='tensor')
    assert len(heatmaps) == 8
    assert heatmaps[-1].shape == (1, 16, 16, 16)
