"""docs/speed.md: its commands with a small network, its table of options."""
import re

import machine
import pytest
import torch
from mmengine.config import Config
from page import (
    commands,
    follow,
    page_text,
    pieces,
    python_examples,
    run_python,
)

from hourglass_plugin.models import StackedHourglass

PAGE = page_text('docs/speed.md')
NOT_FOLLOWED = {
    'python tools/benchmark.py memory':
    'two more processes; tests/tools/test_benchmark_runs.py has them',
}


@pytest.fixture(scope='module')
def followed(trained):
    """What each command of the page printed."""
    printed = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(machine._MATRIX_SIDES, 'cpu', 32)
        for command in commands(PAGE):
            if command in NOT_FOLLOWED:
                continue
            ours, more = command, ()
            for name, value in (('CONFIG', trained.config),
                                ('CHECKPOINT', trained.checkpoint),
                                ('photograph.jpg',
                                 'data/lspet/images/lspet_val0.png')):
                ours = ours.replace(name, value)
            if 'benchmark.py' in command:
                more = ('--device', 'cpu', '--rounds', 1, '--config',
                        trained.config)
            if re.search('inference|training', command):
                more = (*more, '--beside')
            printed[command] = follow(ours, trained.folder, *more)
    return printed


def test_the_page_has_what_is_left_out():
    assert set(NOT_FOLLOWED) < set(commands(PAGE))


def test_tables_of_the_page_are_those_that_its_commands_print(followed):
    """Titles of tables, which follow the command that prints them."""
    sections = re.split(r'^    (python tools/benchmark\.py .*)$', PAGE,
                        flags=re.MULTILINE)
    checked = 0
    for command, section in zip(sections[1::2], sections[2::2]):
        if command in NOT_FOLLOWED:
            continue
        titles = re.findall(r'^\*\*(.+)\*\*$', section, re.MULTILINE)
        assert titles
        for title in titles:
            # There are only three people here.
            title = title.replace('150 people', '3 people')
            assert f'**{title}**' in followed[command]
            checked += 1
    assert checked == 10


def test_fast_test_tells_what_stopping_early_gives(followed):
    assert 'stopping after a stack' in followed[
        'python tools/test.py CONFIG CHECKPOINT --fast']


def test_python_example():
    (example, ) = python_examples(PAGE)
    torch.manual_seed(0)
    network = StackedHourglass(
        num_stacks=5, num_keypoints=3, feat_channels=16).eval()
    images = torch.rand(1, 3, 64, 64)
    names = run_python(example, torch=torch, network=network, images=images)
    with torch.no_grad():
        expected = network(images)[3]
    # Of a product's result bfloat16 keeps 8 bits; a network's errors add up.
    error = (names['heatmaps'] - expected).abs().max() / expected.abs().max()
    assert names['heatmaps'].shape == (1, 3, 16, 16)
    assert error < 0.1


def test_training_with_all_options_of_the_table(trained):
    options = {
        text
        for language, text in pieces(PAGE)
        if language == 'sentence' and re.fullmatch(
            r'--cfg-options \S+|\w+(\.\w+)+=\w+', text)
    }
    words = {option.split()[-1] for option in options}
    assert len(words) == 5
    follow(
        'python tools/train.py small.py --work-dir all --cfg-options',
        trained.folder, *sorted(words))
    config = Config.fromfile(str(trained.folder / 'all' / 'small.py'))
    assert config.model.backbone.with_cp is True
    assert config.custom_hooks[0].type == 'ReturnFreedMemoryHook'
    assert config.optim_wrapper.optimizer.fused is True
    assert config.default_hooks.compile.enable is True
    assert config.optim_wrapper.type == 'BFloat16OptimWrapper'
