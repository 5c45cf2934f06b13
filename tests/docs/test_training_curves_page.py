"""docs/training_curves.md, followed with three drawn people."""
import json
import re
import shutil

import pytest
from mmengine.config import Config
from page import commands, follow, page_text, python_examples, run_python

PAGE = page_text('docs/training_curves.md')
_, TRAIN, COMPARE = commands(PAGE)


@pytest.fixture(scope='module')
def watched(trained):
    """The logs of a training with TensorBoard, three steps an epoch."""
    pytest.importorskip('tensorboard')
    shutil.rmtree(trained.folder / 'work_dirs')
    follow(
        TRAIN.replace('CONFIG', trained.config), trained.folder,
        'default_hooks.logger.interval=1', 'train_dataloader.batch_size=1',
        'train_cfg.max_epochs=2')
    (folder, ) = trained.folder.glob('work_dirs/small/*/vis_data')
    lines = (folder / 'scalars.json').read_text().splitlines()
    return trained.folder, folder, [json.loads(line) for line in lines]


@pytest.fixture(scope='module')
def events(watched):
    """What TensorBoard itself reads."""
    from tensorboard.backend.event_processing import event_accumulator
    events = event_accumulator.EventAccumulator(str(watched[1]))
    return events.Reload()


def curve(events, tag):
    return [(scalar.step, scalar.value) for scalar in events.Scalars(tag)]


def test_tensorboard_has_the_logs_numbers(watched, events):
    lines = watched[2]
    training = [line for line in lines if 'iter' in line]
    assert [line['iter'] for line in training] == [1, 2, 3, 4, 5, 6]
    for tag, name in (('loss/total', 'loss'), ('loss/stack_1', 'loss_stack_1'),
                      ('loss/stack_2', 'loss_stack_2'), ('training/lr', 'lr')):
        steps, values = zip(*curve(events, tag))
        assert steps == (1, 2, 3, 4, 5, 6)
        # float32 has seven digits.
        assert values == pytest.approx([line[name] for line in training],
                                       rel=1e-6)


def test_scores_are_at_the_iteration_of_their_validation(watched, events):
    first, last = [line for line in watched[2] if 'lsp/PCK@0.2' in line]
    for tag, name in (('lsp PCK@0.2/Mean', 'lsp/PCK@0.2'),
                      ('lsp PCK@0.2/Head', 'lsp/PCK@0.2/Head'),
                      ('lsp stack_2 PCK@0.2/Mean', 'lsp/stack_2/PCK@0.2'),
                      ('validation/time', 'time')):
        assert curve(events, tag) == [(3, pytest.approx(first[name], 1e-6)),
                                      (6, pytest.approx(last[name], 1e-6))]


def test_sections_are_those_of_the_page(events):
    tags = events.Tags()
    sections = {}
    for tag in tags['scalars']:
        section, _, name = tag.partition('/')
        sections.setdefault(section, set()).add(name)
    # Each row of the page's table with what it names.
    for section, names in re.findall(r'^\| (`\w+ ?.*?) \| (.*) \|$', PAGE,
                                     re.MULTILINE)[:5]:
        section = re.match('`(.*?)`', section)[1]
        assert set(re.findall('`(.*?)`', names)) <= sections.pop(section)
    # The others are other rows and stacks.
    assert all(re.match(r'lsp (stack_2 )?(PCK|AUC)', name)
               for name in sections)
    assert tags['tensors'] == ['custom_scalars__config__']


def test_the_line_in_a_config(watched):
    example, _ = python_examples(PAGE)
    folder = watched[0]
    (folder / 'line.py').write_text(f'_base_ = "./small.py"\n{example}')
    visualizer = Config.fromfile(str(folder / 'line.py')).visualizer
    assert visualizer.type == 'PoseLocalVisualizer'
    (backend, ) = visualizer.vis_backends
    assert f'={backend.type}' in TRAIN


def test_the_log_without_tensorboard(trained):
    _, example = python_examples(PAGE)
    log = max(trained.folder.glob('work_dirs/small/*/vis_data/scalars.json'))
    names = run_python(example, log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert names['losses'][0] == (lines[0]['iter'], lines[0]['loss_stack_1'])
    assert names['scores'][-1] == (lines[-2]['iter'], lines[-1]['lsp/PCK@0.2'])


def test_seeds_are_trained_and_compared(trained):
    (line, ) = re.findall(r'for seed in 0 1 2; do (.*); done', PAGE)
    for seed in ('0', '1'):
        follow(
            line.replace('CONFIG', trained.config).replace('$seed', seed),
            trained.folder)
    printed = follow(COMPARE.replace('work_dirs', 'study'), trained.folder)
    (row, ) = re.findall(r'^\| `small` \| (.*?) \| .* M \|', printed,
                         re.MULTILINE)
    assert row == '0, 1'
    for name in re.findall('`(comparison/.*?)`', PAGE):
        assert (trained.folder / name).is_file()
