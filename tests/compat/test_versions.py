"""Workarounds that programs apply to their process."""
import warnings

import pytest
from fresh_interpreter import run_python
from mmengine.config import Config
from mmengine.config import config as config_module

from hourglass_plugin.compat import process, versions


@pytest.mark.parametrize('category, module, is_shown', [
    (DeprecationWarning, 'mmengine.runner.runner', False),
    (UserWarning, 'mmpose.datasets.datasets.base', True),
    (DeprecationWarning, 'torchmetrics.functional', True)])
def test_others_deprecations_are_hidden(category, module, is_shown):
    with warnings.catch_warnings(record=True) as shown:
        warnings.resetwarnings()
        process.quiet_other_libraries()
        warnings.warn_explicit('text', category, 'a.py', 1, module=module)
    assert bool(shown) == is_shown


def test_a_prepared_process_shows_no_warnings():
    result, log = run_python('''
from hourglass_plugin.compat.process import prepare_process
prepare_process()
prepare_process()
import numpy as np
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.visualization.opencv_backend_visualizer import (
    OpencvBackendVisualizer)
visualizer = OpencvBackendVisualizer()
visualizer.set_image(np.zeros((9, 9, 3), np.uint8))
visualizer.draw_circles(np.array([4, 4]), np.array([2]))
result = [CheckpointLoader.load_checkpoint.__module__,
          int((visualizer.get_image() > 0).any())]
''')
    assert result == ['hourglass_plugin.compat.safe_checkpoints', 1]
    assert all(line.startswith('hourglass_plugin: ')
               for line in log.splitlines())


@pytest.mark.skipif(
    not hasattr(config_module, 'FormatCode'),
    reason='onedl-mmengine imports yapf only where it uses it')
def test_the_text_of_a_config_is_laid_out_once(monkeypatch):
    calls = []
    monkeypatch.setattr(config_module, 'FormatCode',
                        lambda *args, **options: calls.append(args) or
                        (f'layout {len(calls)}', True))
    for _ in range(2):
        versions.lay_configs_out_once()
    config = Config(dict(a=1))
    assert config.pretty_text == config.pretty_text == 'layout 1'
    assert Config(dict(a=2)).pretty_text == 'layout 2'
    assert config.pretty_text == 'layout 3'  # one is kept, not all
