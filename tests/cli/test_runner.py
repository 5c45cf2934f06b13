"""Checks of the runner of commands before a run."""
import pytest
from torch import nn

from hourglass_plugin.cli import runner as runners


def test_a_damaged_checkpoint_names_an_older_one(tmp_path):
    runner = runners.Runner(
        model=nn.Linear(1, 1),
        work_dir=str(tmp_path),
        default_scope='mmpose',
        experiment_name=tmp_path.name)
    damaged, older = tmp_path / 'epoch_2.pth', tmp_path / 'epoch_1.pth'
    damaged.write_bytes(b'nothing')
    for is_there in (False, True):
        with pytest.raises(ValueError) as error:
            runners.check_resumable(runner, str(damaged))
        assert (str(older) in str(error.value)) == is_there
        older.touch()
    runners.check_resumable(runner, None)
