"""Restricted loading of checkpoints, with and without mmengine's loader."""
import os
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner.checkpoint import CheckpointLoader
from resuming import bits
from torch import nn

from hourglass_plugin.compat import restricted


@pytest.fixture(params=['load_restricted', 'mmengine'])
def load(request, monkeypatch):
    """Our loader, and mmengine's after it was restricted."""
    if request.param == 'load_restricted':
        return lambda path: restricted.load_restricted(
            str(path), logger='silent')
    from hourglass_plugin.compat.safe_checkpoints import load_checkpoint
    monkeypatch.setattr(CheckpointLoader, 'load_checkpoint',
                        classmethod(load_checkpoint))
    return lambda path: CheckpointLoader.load_checkpoint(
        str(path), logger='silent')


def scheduler(**config):
    """The state of a learning rate scheduler."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    return PARAM_SCHEDULERS.build(
        config, default_args=dict(optimizer=optimizer)).state_dict()


def mmengine_checkpoint():
    """All kinds of things that mmengine's checkpoints hold."""
    return dict(
        meta=dict(epoch=1, dataset_meta=dict(
            sigmas=np.array([0.25, 0.5]), flip_indices=[1, 0],
            no_sigmas=np.array([]), colors=np.array([[255, 0, 128]], np.uint8),
            weights=np.array([1, 1.5], np.float32))),
        message_hub=dict(
            log_scalars={'train/loss': HistoryBuffer([3.0, 1.0], [1, 1])},
            runtime_info=dict(best_score=np.float64(87.5), epoch=1)),
        param_schedulers=[
            scheduler(type='MultiStepLR', milestones=[3, 5]),
            *(scheduler(type='OneCycleLR', eta_max=1.0, total_steps=4,
                        anneal_strategy=name) for name in ('cos', 'linear'))],
        state_dict={'weight': torch.tensor([1.0, 2.0])})


def check_same(loaded):
    assert bits(loaded) == bits(mmengine_checkpoint())
    losses = loaded['message_hub']['log_scalars']['train/loss']
    assert losses.statistics('mean') == 2


def test_checkpoints_load_across_major_versions_of_numpy(load, tmp_path):
    own, other = tmp_path / 'own.pth', tmp_path / 'other.pth'
    torch.save(mmengine_checkpoint(), own)
    check_same(load(own))
    # In the old format the pickle is plain text at the start of the file.
    torch.save(
        mmengine_checkpoint(), own, _use_new_zipfile_serialization=False)
    names = [b'cnumpy.core.multiarray\n', b'cnumpy._core.multiarray\n']
    if np.__version__.startswith('2'):
        names.reverse()
    content = own.read_bytes()
    assert names[0] in content and names[1] not in content
    other.write_bytes(content.replace(*names))
    check_same(load(other))


class Foreign:
    """A class of unknown origin."""


class RunsCode:
    """Call a function when unpickled, as an attacker's file does."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def foreign_objects(folder):
    return {
        f'{__name__}.Foreign': Foreign(),
        f'{os.system.__module__}.system': RunsCode(
            os.system, f'touch {folder / "code_has_run"}'),
        'builtins.getattr': RunsCode(getattr, HistoryBuffer, '__init__')}


def test_foreign_objects_are_refused(load, tmp_path):
    path = tmp_path / 'foreign.pth'
    for name, foreign in foreign_objects(tmp_path).items():
        torch.save({**mmengine_checkpoint(), 'extra': foreign}, path)
        for _ in range(2):  # the first one allows nothing for the second
            with pytest.raises(ValueError, match=re.escape(name)) as error:
                load(path)
        assert str(path) in str(error.value)
        assert '\n' not in str(error.value)
    assert not (tmp_path / 'code_has_run').exists()


def test_no_loader_of_mmengine_gets_around_the_check(load, tmp_path,
                                                     monkeypatch):
    """onedl-mmengine's loader tries again with ``weights_only=False``."""
    path = tmp_path / 'foreign.pth'
    torch.save({'extra': Foreign()}, path)
    monkeypatch.setattr(CheckpointLoader, '_schemes',
                        {**CheckpointLoader._schemes})
    CheckpointLoader.register_scheme(
        'trusting://', lambda filename, map_location: torch.load(
            path, map_location, weights_only=False))
    with pytest.raises(ValueError):
        load('trusting://foreign.pth')


@pytest.mark.parametrize('switches', [
    {}, dict(TORCH_FORCE_WEIGHTS_ONLY_LOAD='0',
             TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD='0'),
    dict(TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD='1')])
def test_a_load_changes_nothing_for_other_code(load, tmp_path, monkeypatch,
                                               switches):
    for switch, value in switches.items():
        monkeypatch.setenv(switch, value)
    before = dict(os.environ)
    path = tmp_path / 'foreign.pth'
    torch.save({'extra': Foreign()}, path)
    with pytest.raises(ValueError):
        load(path)
    assert os.environ == before
    extra = torch.load(path, weights_only=False)['extra']
    assert isinstance(extra, Foreign)


def test_restricted_pickle_for_torch_without_an_allow_list(tmp_path):
    def load_old(path):
        return torch.load(path, weights_only=False,
                          pickle_module=restricted.RestrictedPickle)

    path = tmp_path / 'checkpoint.pth'
    for new_format in (True, False):
        torch.save(mmengine_checkpoint(), path,
                   _use_new_zipfile_serialization=new_format)
        check_same(load_old(path))
    for name, foreign in foreign_objects(tmp_path).items():
        torch.save({'extra': foreign}, path)
        with pytest.raises(pickle.UnpicklingError) as error:
            load_old(path)
        assert name in str(error.value)
    assert not (tmp_path / 'code_has_run').exists()


def test_files_that_are_not_checkpoints_are_named(load, tmp_path):
    path = tmp_path / 'broken.pth'
    torch.save(mmengine_checkpoint(), path)
    # A download that was cut off; protocol 2, then a number of which the
    # digits are letters.
    for content in (path.read_bytes()[:500], b'', b'hello world',
                    b'\x80\x02IZZ\n.'):
        path.write_bytes(content)
        with pytest.raises(ValueError) as error:
            load(path)
        assert str(path) in str(error.value)


def test_missing_files_are_named(load, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / 'missing.pth')
