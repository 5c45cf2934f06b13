"""docs/results.md: its commands with drawn people, its scores the card's."""
import json
import re

import pytest
from mmengine.config import Config
from page import ROOT, commands, follow, page_text

PAGE = page_text('docs/results.md')
CARD = page_text('hourglass_plugin/weights/README.md')
COMMANDS = [line for line in commands(PAGE) if line.startswith('python ')]
WEIGHTS = 'hourglass_plugin/weights/lsp_hg2_128x128.pth'


def test_score_of_the_shipped_weights_is_their_cards():
    scores = [
        re.search(rf'^\| PCK@{threshold} .*\| (\S+) \|$', CARD,
                  re.MULTILINE)[1] for threshold in (0.2, 0.1)
    ]
    assert f'| sub-pixel, flip test | {" | ".join(scores)} |' in PAGE


def test_ways_of_reading_are_what_the_commands_choose(trained):
    chosen = []
    for command in COMMANDS:
        if 'tools/test.py' not in command:
            continue
        out = trained.folder / 'scores.json'
        printed = follow(
            command.replace(WEIGHTS, str(ROOT / WEIGHTS)), trained.folder,
            '--out', out)
        scores = json.loads(out.read_text())
        assert {'lsp/stack_1/PCK@0.2', 'lsp/stack_2/PCK@0.2'} <= set(scores)
        assert 'lsp/PCK@0.1' in printed
        chosen.append(command.partition('--cfg-options ')[2])
    assert chosen == [
        '', 'model.test_cfg.flip_test=False',
        'model.head.decoder.refinement=quarter',
        'model.head.decoder.refinement=none'
    ]


CONTENDERS = dict(
    tuned='one stack',
    hg1_widening_128x128='one stack, widening',
    hg2_128x128='two stacks',
    hourglassnet_128x128='`HourglassNet` + `CPMHead`',
    hrnet_128x128='HRNet',
    resnet50_128x128='ResNet-50')


def test_comparison_is_trained_and_compared(trained):
    measure, train, compare = (
        line for line in COMMANDS if 'lsp_comparison' in line)
    follow(train, trained.folder, '--cfg-options', 'max_epochs=1',
           'train_cfg.max_epochs=1',
           'model.backbone.feat_channels=16', 'train_dataloader.num_workers=0',
           'train_dataloader.persistent_workers=False',
           'val_dataloader.num_workers=0',
           'val_dataloader.persistent_workers=False')
    costs = follow(measure, trained.folder, '--rounds', 1, '--batch-size', 2)
    rows = {
        cells[0]: list(map(float, cells[6:8]))
        for cells in ([cell.strip() for cell in line.strip('|').split('|')]
                      for line in costs.splitlines() if line.startswith('| '))
        if cells[0] in CONTENDERS
    }
    assert rows.keys() == CONTENDERS.keys()
    for name, row in rows.items():
        told = re.search(
            rf'^\| {re.escape(CONTENDERS[name])} \| (\S+) M \| (\S+) G \|',
            PAGE, re.MULTILINE)
        # The page has two digits, the tool three.
        assert [float(told[1]), float(told[2])] == pytest.approx(row, abs=6e-3)
    table = follow(compare, trained.folder)
    # 16 instead of 128 channels, as told above.
    assert re.search(r'\| 0\.01 G \|', table)
    assert (trained.folder /
            'work_dirs/lsp_comparison/trainings.png').is_file()


@pytest.mark.parametrize(
    'name', ['hg1', 'hg1_widening', 'hg2', 'hrnet', 'resnet50'])
def test_rates_are_the_best_of_the_table(name):
    """The config's rate is the row of the bold score in its column."""
    header, _, *rows = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in PAGE[PAGE.index('| learning rate'):].splitlines()[:6]
    ]
    column = header.index(
        dict(
            hg1='one stack',
            hg1_widening='one stack, widening',
            hg2='two stacks',
            hrnet='HRNet',
            resnet50='ResNet-50')[name])
    best, = (row for row in rows if row[column].startswith('**'))
    others = [float(row[column].strip('*')) for row in rows if row[column]]
    assert float(best[column].strip('*')) == max(others)
    config = Config.fromfile(
        str(ROOT / f'configs/lsp_comparison/{name}_128x128.py'))
    assert config.param_scheduler[0].eta_max == float(best[0])
