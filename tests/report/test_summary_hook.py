"""The end of a training: curves from logs, and the best epoch."""
import json
from types import SimpleNamespace

import pytest

from hourglass_plugin.report.summary_hook import TrainingSummaryHook, read_logs
from hourglass_plugin.visualization.image_files import read_image


@pytest.fixture
def runner(tmp_path):
    for run, epochs in (('2026_1', (1, 2)), ('2026_2', (3, ))):
        folder = tmp_path / 'work' / run / 'vis_data'
        folder.mkdir(parents=True)
        lines = [
            line for epoch in epochs for line in (
                dict(loss=1 / epoch, loss_stack_1=1 / epoch, epoch=epoch,
                     iter=9 * epoch, step=9 * epoch),
                {'$a/AUC': 10 * epoch, 'step': 9 * epoch})]
        (folder / 'scalars.json').write_text(
            '\n'.join(map(json.dumps, lines)))
    said = []
    return SimpleNamespace(
        work_dir=str(tmp_path / 'work'), said=said, epoch=1, iter=9,
        cfg=SimpleNamespace(filename='config.py'),
        logger=SimpleNamespace(info=said.append),
        message_hub=SimpleNamespace(runtime_info={}))


def test_logs_of_a_resumed_training_are_one_course(runner):
    losses, scores = read_logs(runner.work_dir, '$a/AUC')
    assert scores == {9: 10, 18: 20, 27: 30}
    assert losses['loss_stack_1'] == {9: 1, 18: 1 / 2, 27: 1 / 3}


def test_best_weights_are_copied_and_named_in_the_end(runner, tmp_path):
    hook = TrainingSummaryHook('$a/AUC', str(tmp_path / 'out'))
    hook.after_train(runner)  # nothing was validated
    for runner.epoch, score in ((1, 10.0), (2, 31.5), (3, 30.0)):
        if runner.epoch < 3:
            best = tmp_path / f'best_{runner.epoch}.pth'
            best.write_text(str(score))
            runner.message_hub.runtime_info['best_ckpt'] = str(best)
        hook.after_val_epoch(runner, {
            '$a/AUC': score, '$a/AUC/nose': score + 1, '$a/Error': 3.0,
            'coco/AP': 1.0})
    assert (tmp_path / 'out/best.pth').read_text() == '31.5'
    assert read_image(tmp_path / 'out/curves.png').size
    hook.after_train(runner)
    text, = runner.said
    for word in ('32.50', '31.50', '3.00', 'Epoch 2', 'config.py', 'best.pth'):
        assert word in text
    assert 'AP' not in text
