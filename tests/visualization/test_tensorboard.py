"""TensorBoard's tags for numbers of the log."""
import json
import re
import sys

import pytest
from mmengine.config import Config
from mmengine.registry import VISBACKENDS

from hourglass_plugin.visualization.tensorboard import (
    benchmark_charts,
    scalar_tags,
)

TRAINING = dict(lr=1, loss=2, loss_stack_1=3, det_loss=4, epoch=5, iter=6,
                time=7)
SCORES = {
    'lsp/PCK@0.2': 3.0,
    'lsp/PCK@0.2/Head': 1.0,
    'lsp/PCK@0.2/Upper arm': 2.0,
    'lsp/PCK@0.2/all_joints': 4.0,
    'lsp/stack_1/PCK@0.2': 5.0,
    'lsp/stack_1/PCK@0.2/Head': 6.0,
    'coco/AP': 7.0,
    'time': 8.0
}


@pytest.fixture
def backend(tmp_path):
    return VISBACKENDS.build(
        dict(type='LocalTensorboardVisBackend', save_dir=str(tmp_path)))


@pytest.mark.parametrize('line, tags', [
    (TRAINING, {
        'training/lr': 1,
        'loss/total': 2,
        'loss/stack_1': 3,
        'loss/det_loss': 4,
        'training/epoch': 5,
        'training/time': 7
    }),
    (SCORES, {
        'lsp PCK@0.2/Mean': 3.0,
        'lsp PCK@0.2/Head': 1.0,
        'lsp PCK@0.2/Upper arm': 2.0,
        'lsp PCK@0.2/all_joints': 4.0,
        'lsp stack_1 PCK@0.2/Mean': 5.0,
        'lsp stack_1 PCK@0.2/Head': 6.0,
        'coco/AP': 7.0,
        'validation/time': 8.0
    }),
])
def test_sections_of_training_and_validation(line, tags):
    assert scalar_tags(line) == tags


def test_charts_take_what_their_titles_say():
    tags = [
        *scalar_tags(SCORES), 'loss/stack_1', 'loss/stack_12',
        'loss/total', 'lsp PCKx0.2/Head'
    ]
    # As TensorBoard matches: from the beginning.
    assert {
        title: [tag for tag in tags if re.match(pattern, tag)]
        for title, (_, (pattern, )) in benchmark_charts(SCORES).items()
    } == {
        'loss by stack': ['loss/stack_1', 'loss/stack_12'],
        'lsp PCK@0.2 by joint': ['lsp PCK@0.2/Head', 'lsp PCK@0.2/Upper arm'],
        'lsp PCK@0.2 by stack': ['lsp stack_1 PCK@0.2/Mean'],
    }
    assert benchmark_charts({'coco/AP': 7.0}) == {}


def test_backend_writes_events_and_scalars_json(backend, tmp_path):
    """As TensorBoard reads them; the JSON is mmengine's local backend's."""
    accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    backend.add_config(Config(dict(epochs=1)))
    backend.add_scalars(dict(loss=0.5, iter=3), 3)
    for step in (3, 6):
        backend.add_scalars(dict(SCORES), step)
    backend.close()
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    for tag, expected in (('loss/total', [(3, 0.5)]),
                          ('lsp PCK@0.2/Mean', [(3, 3.0), (6, 3.0)])):
        assert [(scalar.step, scalar.value) for scalar in events.Scalars(tag)
                ] == expected
    # The charts, once.
    assert len(events.Tensors('custom_scalars__config__')) == 1
    lines = (tmp_path / 'scalars.json').read_text().splitlines()
    assert json.loads(lines[0]) == dict(loss=0.5, iter=3, step=3)
    assert len(lines) == 3 and (tmp_path / 'config.py').is_file()


def test_tensorboard_is_optional(backend, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    with pytest.raises(ImportError):
        backend.add_scalars(dict(loss=1.0, iter=1), 1)
