"""Importing the package first lets the tests import MMPose plainly."""
import cv2
import pytest
from mmengine.registry import DefaultScope

import hourglass_plugin  # noqa: F401, with stand-ins for what MMPose lacks

import mmpose  # noqa: F401, isort: skip
from small_project import (
    project_files,
    shared_folder,
    train_project,
    write_project,
)

# Many tests fork, which threads of OpenCV do not survive: a process would wait
# for them as soon as it, or mmengine in it, sets their number.
cv2.setNumThreads(1)


@pytest.fixture(autouse=True, scope='module')
def no_default_scope():
    """Forget the default scope that runners of another file left.

    Which file is the next depends on the number of processes.
    """
    DefaultScope._instance_dict.clear()


@pytest.fixture(autouse=True, scope='session')
def unformatted_configs():
    """Leave out the formatting of configs, by yapf, which takes seconds.

    onedl-mmengine imports yapf only where it uses it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmengine.config.config.FormatCode',
                      lambda text, **options: (text, True), raising=False)
        yield


@pytest.fixture(scope='session')
def project(tmp_path_factory):
    """A small project: ``folder`` with people and the file ``config``.

    Nothing may be written to the folder.
    """
    return project_files(
        shared_folder(tmp_path_factory, 'project', write_project))


@pytest.fixture(scope='session')
def trained(project, tmp_path_factory):
    """The project after one epoch of tools/train.py.

    Also ``work_dir``, ``checkpoint`` and ``screen``, what the tool printed.
    """
    shared_folder(tmp_path_factory, 'training',
                  lambda folder: train_project(project.folder))
    project.screen = (project.folder / 'screen.txt').read_text()
    return project
