"""Settings without effect, and best scores, are checked before training."""
from types import SimpleNamespace

import pytest
from mmengine.config import ConfigDict
from small_runner import small_model, small_runner

from hourglass_plugin.engine import config_check_hook
from hourglass_plugin.engine.checkpoint_hook import (
    ResumableCheckpointHook,
    check_save_best,
    rule_of_score,
)
from hourglass_plugin.engine.config_check_hook import (
    ConfigCheckHook,
    check_learning_rates,
)

ONE_CYCLE = dict(type='OneCycleLR', eta_max=0.1)
STEPS = dict(type='MultiStepLR', milestones=[1])
SLOW = dict(custom_keys=dict(backbone=dict(lr_mult=0.1)))


@pytest.mark.parametrize('scheduler, rate, factors, is_valid', [
    (ONE_CYCLE, 0.1, SLOW, False), (ONE_CYCLE, None, SLOW, False),
    ([STEPS, ONE_CYCLE], 0.1, dict(bias_lr_mult=2), False),
    (ONE_CYCLE, None, dict(norm_decay_mult=0, bias_lr_mult=1), True),
    (STEPS, 0.1, SLOW, True), (STEPS, None, SLOW, False), (None, 1, SLOW, True)
])
def test_factors_of_learning_rates_have_an_effect(scheduler, rate, factors,
                                                  is_valid):
    config = ConfigDict(
        param_scheduler=scheduler,
        optim_wrapper=dict(paramwise_cfg=factors, optimizer=dict(lr=rate)))
    if is_valid:
        check_learning_rates(config)
        return
    with pytest.raises(ValueError, match='lr_mult'):
        check_learning_rates(config)


@pytest.mark.parametrize('name, rule', [
    ('dogs/BoxPCK@0.2', 'greater'), ('dogs/BoxPCK_AUC/ear', 'greater'),
    ('coco/AP', 'greater'), ('coco/AR .5', 'greater'), ('PCK', 'greater'),
    ('coco/bbox_mAP_50', 'greater'), ('topdown/NME', 'less'), ('EPE', 'less'),
    ('val/loss', 'less'), ('dogs/mystery', None)])
def test_the_rule_of_a_score(name, rule):
    if rule is None:
        with pytest.raises(ValueError, match='rule'):
            ResumableCheckpointHook(save_best=name)
        ResumableCheckpointHook(save_best=name, rule='less')
        return
    assert rule_of_score(name) == rule
    assert ResumableCheckpointHook(save_best=name).rules == [rule]


@pytest.mark.parametrize('best, scores, is_valid', [
    ('a/PCK', ['a/PCK'], True), ('a/PCK/ear', ['a/PCK'], True),
    ('a/PCK', [], True), ('auto', ['a/PCK'], True), ('auto', ['a/x'], False),
    ('a/PCKs', ['a/PCK'], False), ('PCK', ['a/PCK'], False)])
def test_the_best_score_is_one_that_is_logged(best, scores, is_valid):
    hook = ResumableCheckpointHook(save_best=best)
    if is_valid:
        check_save_best(hook, scores)
        return
    with pytest.raises(ValueError, match=scores[0]):
        check_save_best(hook, scores)


@pytest.mark.parametrize('depth, batches', [(1, 4), (3, 3)])
def test_a_last_sample_alone_is_left_out_where_it_cannot_be_learnt(
        depth, batches, tmp_path):
    """32 pixels are 8 in heatmaps, and 1 at the lowest level of depth 3."""
    model = small_model()
    model['backbone']['depth'] = depth
    train_cfg = dict(type='ResumableTrainLoop', max_epochs=1)
    runner = small_runner(tmp_path, 'single', model=model, people=7,
                          train_cfg=train_cfg)
    runner.train()
    assert runner.iter == batches == runner.max_iters
    if depth == 3:
        with pytest.raises(ValueError, match='batch_size'):
            small_runner(tmp_path, 'one', model=model, people=1,
                         train_cfg=train_cfg).train()


@pytest.mark.parametrize('scheduler, is_resumed, is_told', [
    (dict(end=9, begin=0, total_steps=4), True, True),
    (dict(end=4, begin=0), True, True), (dict(end=4, begin=0), False, False),
    (dict(end=9, begin=2, total_steps=6), True, False)])
def test_a_schedule_that_ended_is_told_when_training_resumes(
        scheduler, is_resumed, is_told, monkeypatch):
    told = []
    monkeypatch.setattr(config_check_hook, 'print_log',
                        lambda *arguments: told.append(arguments))
    ConfigCheckHook().before_train(SimpleNamespace(
        param_schedulers=[SimpleNamespace(by_epoch=False, **scheduler)],
        max_iters=8, _resume=is_resumed))
    assert bool(told) == is_told
