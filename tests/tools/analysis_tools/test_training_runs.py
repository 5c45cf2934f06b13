"""Training runs read from mmengine's logs, grouped by config, in tables."""
import pytest
from training_logs import (
    config_text,
    training_line,
    validation_line,
    write_start,
    write_training,
)
from training_runs import (
    best_first,
    check_metrics,
    default_metrics,
    find_work_dirs,
    group_trainings,
    read_training,
    read_trainings,
    score_curves,
)
from training_tables import comparison_tables

PCK = 'lsp/PCK@0.2'


def read_groups(folder):
    return group_trainings(read_trainings([folder])[0])


def group_sizes(folder):
    return {name: len(members)
            for name, members in read_groups(folder).items()}


def test_a_training_by_hand(tmp_path):
    training = read_training(write_training(tmp_path / 'a', 30.0, seed=7))
    assert training.config_name == 'net' and training.seed == 7
    assert sorted(training.scores) == [1, 2]
    assert training.scores[1][PCK] == 10 and training.last[PCK] == 30
    assert 'time' not in training.last and 'step' not in training.last
    # 10 iterations of 2 s, 10 of 4 s; the validation's 9 s are not training.
    assert training.seconds == 60


FIRST, SECOND = training_line(1, 10), training_line(2, 20)


@pytest.mark.parametrize('starts, scores, seconds', [
    # Validations may count epochs or iterations.
    ([[FIRST, validation_line(1, 11.0), SECOND, validation_line(2, 22.0)]],
     {1: 11, 2: 22}, 20),
    # Stopped in epoch 2, after a validation of epoch 1 that counts.
    ([[FIRST, validation_line(10, 11.0), training_line(2, 15, time=7.0),
       '{"lr": 0.1, "lo'],
      [training_line(2, 15, time=2.0), training_line(2, 20, time=3.0),
       validation_line(20, 22.0)]],
     {1: 11, 2: 22}, 10 * 1 + 5 * 2 + 5 * 3),
    # Begun anew.
    ([[FIRST, validation_line(10, 1.0), SECOND, validation_line(20, 2.0)],
      [FIRST, validation_line(10, 5.0), SECOND, validation_line(20, 6.0)]],
     {1: 5, 2: 6}, 20),
    # The validation of epoch 1 is made up for.
    ([[FIRST], [validation_line(10, 11.0), SECOND,
                validation_line(20, 22.0)]], {1: 11, 2: 22}, 20),
])
def test_a_later_start_replaces_its_epochs(starts, scores, seconds, tmp_path):
    for index, lines in enumerate(starts):
        write_start(tmp_path, lines, time=f'20260101_00000{index}')
    training = read_training(tmp_path)
    assert {epoch: row[PCK] for epoch, row in training.scores.items()
            } == scores
    assert training.seconds == seconds


@pytest.mark.parametrize('lines, config', [
    (None, {}),
    ([], {}),
    ([FIRST, validation_line(10, 1.0)], {}),  # not finished
    ([FIRST, SECOND], {}),  # not validated
    (['no JSON\n', SECOND], {}),
    (['[1]\n', SECOND], {}),
    ([dict(loss=1.0, iter=10, step=10)], {}),  # not by epochs
    ([SECOND], dict(config='train_cfg = (')),
    ([SECOND], dict(config='model = dict()')),
])
def test_unusable_work_dirs_are_left_out_by_name(lines, config, tmp_path):
    work_dir = write_start(tmp_path / 'broken', lines, **config)
    write_training(tmp_path / 'whole', 30.0)
    runs, (reason, ) = read_trainings([tmp_path])
    assert [training.work_dir.name for training in runs] == ['whole']
    assert reason.startswith(f'{work_dir}: ')
    with pytest.raises(ValueError):
        read_trainings([work_dir])


def test_work_dirs_are_found_once_and_at_any_depth(tmp_path):
    first = write_training(tmp_path / 'x' / 'y' / 'seed_0', 1.0)
    second = write_training(tmp_path / 'z', 1.0)
    # Of something else that is called so.
    (tmp_path / 'other' / 'vis_data').mkdir(parents=True)
    assert find_work_dirs([second, tmp_path]) == [second, first]
    for name, error in (('other', ValueError), ('none', FileNotFoundError)):
        with pytest.raises(error):
            find_work_dirs([tmp_path / name])


@pytest.mark.parametrize('more, sizes', [
    # Settings that change no result.
    ('work_dir = "a"\nresume = True\nload_from = "a.pth"\n'
     'default_hooks = dict(logger=dict(interval=5))', {'net': 3}),
    ('optim_wrapper = dict(lr=1)', {'net in a': 1, 'net in b': 2}),
    ('load_from = "pretrained.pth"', {'net in a': 1, 'net in b': 2}),
    ('default_hooks = dict(ema=dict())', {'net in a': 1, 'net in b': 2}),
])
def test_seeds_of_one_config_are_one_group(more, sizes, tmp_path):
    write_training(tmp_path / 'a', 30.0)
    write_training(tmp_path / 'b' / 'seed_2', 20.0, seed=2, more=more)
    write_training(tmp_path / 'b' / 'seed_1', 20.0, seed=1, more=more)
    assert group_sizes(tmp_path) == sizes
    *_, members = read_groups(tmp_path).values()
    assert [member.seed for member in members][-2:] == [1, 2]


def test_groups_in_one_folder_are_told_apart(tmp_path):
    for place, more in (('a0', ''), ('a1', ''), ('b', 'load_from = "b.pth"')):
        write_training(tmp_path / 'x' / place, 30.0, seed=None, more=more)
    write_training(tmp_path / 'c', 30.0, more='lr = 1')
    write_training(tmp_path / 'x' / 'd' / 'e', 30.0, more='load_from = "b"')
    write_training(tmp_path / 'x', 30.0, seed=1, more='load_from = "b"')
    assert group_sizes(tmp_path) == {
        'net in x/a0, x/a1': 2,
        'net in x/b': 1,
        'net in c': 1,
        'net in x, x/d/e': 2,
    }


def test_tables_by_hand(tmp_path):
    stacks = {'lsp/stack_1/PCK@0.2': 40.0, 'lsp/stack_2/PCK@0.2': 60.0}
    for seed, score in enumerate((58.0, 60.0, 65.0)):
        write_start(tmp_path / 'two' / str(seed), [
            training_line(1, 10, time=seed * 300),
            validation_line(10, score, **stacks)
        ], config_text(seed, epochs=1), name='two')
    write_training(tmp_path / 'one', 70.04, name='one')
    groups = best_first(read_groups(tmp_path), PCK)
    assert default_metrics(groups['two'][0].last) == [PCK, 'lsp/AUC']
    assert comparison_tables(
        groups, [PCK, 'lsp/AUC'],
        {'two': dict(parameters=1_659_356, multiply_adds=532_905_984)}) == '''\
**lsp: scores of the last validation, mean of the seeds (lowest to highest)**

|  | seeds | epochs | PCK@0.2 | AUC | parameters | MACs | minutes |
| --- | --- | --- | --- | --- | --- | --- | --- |
| `one` | 0 | 2 | 70.0 | 35.0 | - | - | 1.0 |
| `two` | 0, 1, 2 | 1 | 61.0 (58.0 to 65.0) | 30.5 (29.0 to 32.5) | 1.66 M | \
0.53 G | 50 |

**PCK@0.2 after each stack**

|  | stack 1 | stack 2 |
| --- | --- | --- |
| `two` | 40.0 (40.0 to 40.0) | 60.0 (60.0 to 60.0) |

Minutes are those of the training iterations, without validation, mean of \
the seeds.'''


def test_groups_without_a_score(tmp_path):
    write_training(tmp_path / 'a', 0.7126, name='a')
    write_start(tmp_path / 'b', [SECOND, {'coco/AP': 90.0}], name='b')
    groups = best_first(read_groups(tmp_path), 'coco/AP')
    assert list(groups) == ['b', 'a']
    assert score_curves(groups, 'coco/AP') == {'b': [{2: 90.0}]}
    assert '| `a` | 0 | 2 | - |' in comparison_tables(groups, ['coco/AP'], {})
    # Scores of at most 1 have three digits.
    assert '| `a` | 0 | 2 | 0.713 |' in comparison_tables(groups, [PCK], {})
    check_metrics(groups, ['coco/AP', PCK])
    with pytest.raises(ValueError):
        check_metrics(groups, ['lsp/PCK@2'])
