"""Wheel, sdist and editable install: what is in them, and that they work.

Built from a copy of the files that git knows, installed into environments of
their own, and used from an empty folder.
"""
import email
import importlib.metadata
import json
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import small_project
import torch
from mmengine.config import Config
from page import links, page_text
from tool_process import ROOT, run_command

pytest.importorskip('setuptools', '77', 'pyproject.toml asks for it')
if shutil.which('git') is None or not (ROOT / '.git').exists():
    pytest.skip(
        'distributions are built from a clone', allow_module_level=True)

# What the sdist has of the root of the repository; a new file there is either
# added here or, as documents and tests are, left out on purpose.
ROOT_FILES = {
    'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'MANIFEST.in', 'README.md',
    'model-index.yml', 'pyproject.toml', 'setup.py'
}


def run(*command, folder=ROOT):
    """Run a command as a user does who has no PYTHONPATH; stdout."""
    return run_command(*command, folder=folder, PYTHONPATH='').stdout


def build(kind, source, target):
    """Have setuptools build what pip or ``build`` would, without a network."""
    target.mkdir(exist_ok=True)
    run(sys.executable, '-c', 'from setuptools import build_meta; '
        f'build_meta.build_{kind}({str(target)!r})', folder=source)
    path, = target.iterdir()
    return path


def files_below(folder):
    return {path.relative_to(folder).as_posix()
            for path in folder.rglob('*') if path.is_file()}


@pytest.fixture(scope='module')
def tracked():
    """Return the files that git tracks, or would after ``git add``."""
    names = run('git', '-c', 'safe.directory=*', 'ls-files', '-z', '--cached',
                '--others', '--exclude-standard').split('\0')
    return {name for name in names if name and (ROOT / name).is_file()}


@pytest.fixture(scope='module')
def tree(tracked, tmp_path_factory):
    """A clone, with what earlier work leaves behind."""
    folder = tmp_path_factory.mktemp('clone')
    for name in tracked:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    for name in ('configs/_base_/__pycache__/loaders.cpython-39.pyc',
                 'tools/__pycache__/train.cpython-39.pyc',
                 'data/lspet/lspet_train.json',
                 'build/lib/hourglass_plugin/deleted.py'):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text('')
    return folder


@pytest.fixture(scope='module')
def wheel(tree, tmp_path_factory):
    before = files_below(tree)
    path = build('wheel', tree, tmp_path_factory.mktemp('wheel'))
    new = {name.split('/')[0] for name in files_below(tree) - before}
    assert new <= {'build', 'hourglass_plugin.egg-info'}  # git ignores them
    return path


@pytest.fixture(scope='module')
def sdist(tree, tmp_path_factory):
    return build('sdist', tree, tmp_path_factory.mktemp('sdist'))


@pytest.fixture(scope='module')
def mim(tracked):
    """The files of the package's ``.mim``."""
    return {f'hourglass_plugin/.mim/{name}' for name in tracked
            if name.split('/')[0] in ('model-index.yml', 'configs', 'tools')}


def read_wheel(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read_metadata(path):
    return email.message_from_bytes(
        read_wheel(path)['hourglass_plugin-0.1.0.dist-info/METADATA'])


def wheel_from(sdist, folder):
    """Build a wheel from a source distribution."""
    shutil.unpack_archive(str(sdist), str(folder / 'source'))
    source, = (folder / 'source').iterdir()
    return build('wheel', source, folder / 'wheel')


def test_wheel_holds_the_package_and_nothing_else(wheel, tracked, mim):
    package = {name for name in tracked
               if name.startswith('hourglass_plugin/')}
    assert 'hourglass_plugin/py.typed' in package
    metadata = {f'hourglass_plugin-0.1.0.dist-info/{name}' for name in (
        'METADATA', 'RECORD', 'WHEEL', 'entry_points.txt', 'top_level.txt',
        'licenses/LICENSE')}
    contents = read_wheel(wheel)
    assert set(contents) == package | mim | metadata
    for name in mim:
        assert contents[name] == (ROOT / name.split('.mim/')[1]).read_bytes()


def test_metadata_lets_people_find_and_install(wheel):
    metadata = read_metadata(wheel)
    assert metadata['License-Expression'] == 'Apache-2.0'
    assert metadata['Requires-Python'] == '>=3.10'
    assert {'human pose estimation', 'MMPose'} <= set(
        metadata['Keywords'].split(','))
    assert 'Typing :: Typed' in metadata.get_all('Classifier')
    assert any(url.startswith('Paper, https:')
               for url in metadata.get_all('Project-URL'))
    wanted = {}
    for text in metadata.get_all('Requires-Dist'):
        requirement, _, marker = text.partition('; extra == ')
        wanted.setdefault(marker.strip('"'), set()).add(requirement)
    # pip would go after mmpose's chumpy if mmpose were declared.
    assert {re.match(r'[\w-]+', text)[0] for text in wanted['']} == {
        'numpy', 'torch'}
    assert {'network', 'labels', 'fast', 'video', 'onnx'} <= set(wanted)
    # The files that scripts install from, and the extras, say the same.
    for extra, files in (('docs', ['docs']), ('dev', ['lint', 'tests'])):
        assert wanted[extra] == {
            line.partition('#')[0].strip() for file in files for line in (
                ROOT / f'requirements/{file}.txt').read_text().splitlines()
        } - {''}


@pytest.mark.parametrize('url', ['', 'https://example.org/me/hourglass'])
def test_readme_links_work_on_a_package_index(tree, tmp_path, monkeypatch,
                                              url):
    monkeypatch.delenv('GITHUB_REPOSITORY', raising=False)
    monkeypatch.setenv('REPOSITORY_URL', url)
    sdist = build('sdist', tree, tmp_path / 'sdist')
    monkeypatch.delenv('REPOSITORY_URL')
    text = read_metadata(wheel_from(sdist, tmp_path)).get_payload()
    absolute = [link for link in links(text) if link.startswith('https://')]
    assert links(text) == absolute
    ours = {link for link in absolute if url and link.startswith(url)}
    relative = {link for link in links(page_text('README.md'))
                if not link.startswith('https://')}
    assert len(relative) > 20
    assert {link.removeprefix(f'{url}/blob/main/').removeprefix(
        f'{url}/raw/main/') for link in ours} == (relative if url else set())


def test_sdist_holds_what_a_wheel_is_built_from(sdist, wheel, tracked, mim,
                                                tmp_path):
    with tarfile.open(sdist) as archive:
        names = {member.name.partition('/')[2]
                 for member in archive.getmembers() if member.isfile()}
    generated = {name for name in names
                 if name in ('PKG-INFO', 'setup.cfg') or '.egg-info/' in name}
    expected = {name for name in tracked if name in ROOT_FILES or
                name.split('/')[0] in ('configs', 'hourglass_plugin',
                                       'requirements', 'tools')}
    assert names - generated == expected | mim
    assert read_wheel(wheel_from(sdist, tmp_path)) == read_wheel(wheel)


class Environment:
    """One that borrows what is installed here, except editable installs."""

    def __init__(self, folder):
        run(sys.executable, '-m', 'venv', '--without-pip', folder)
        self.python = folder / 'bin' / 'python'
        self.packages = Path(run(
            self.python, '-c', 'import sysconfig; '
            'print(sysconfig.get_path("purelib"))').strip())
        here = [path for path in sys.path
                if Path(path).name in ('site-packages', 'dist-packages')]
        (self.packages / 'borrowed.pth').write_text('\n'.join(here))
        for path in here:  # setuptools' distutils, for mmengine
            shim = Path(path, 'distutils-precedence.pth')
            if shim.is_file():
                shutil.copy(shim, self.packages)

    def install(self, *arguments):
        """Install without a network, and without touching what is borrowed."""
        run(self.python, '-m', 'pip', 'install', '--quiet', '--no-deps',
            '--no-index', '--no-build-isolation', '--ignore-installed',
            *arguments)


@pytest.fixture(scope='module')
def installed(wheel, project, tmp_path_factory):
    """The wheel in an environment, and the small project trained with it."""
    folder = tmp_path_factory.mktemp('installed')
    environment = Environment(folder / 'environment')
    environment.install(wheel)
    base, _, rest = small_project.CONFIG.partition(']\n')
    assert base.startswith('\n_base_ = [')
    config = folder / 'small.py'
    config.write_text(
        "_base_ = __import__('hourglass_plugin').config_path(\n"
        f'    {small_project.BASE!r})\n'
        "package = __import__('hourglass_plugin').__file__\n" +
        rest.format(root=str(project.folder)))
    nothing = folder / 'nothing'
    nothing.mkdir()
    tools = environment.packages / 'hourglass_plugin/.mim/tools'
    run(environment.python, tools / 'train.py', config, '--work-dir',
        folder / 'work', folder=nothing)
    return SimpleNamespace(
        python=environment.python, config=config, work=folder / 'work',
        nothing=nothing, package=tools.parents[1], tools=tools)


def test_the_wheel_trains_as_the_checkout(installed, trained):
    used = Config.fromfile(installed.work / 'small.py')
    assert Path(used.package).parent == installed.package
    ours, theirs = (
        torch.load(path, weights_only=False)['state_dict']
        for path in (trained.checkpoint, installed.work / 'epoch_1.pth'))
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize('is_own', [True, False])
def test_the_wheel_predicts_from_an_empty_folder(installed, project, is_own,
                                                 tmp_path):
    """With a checkpoint, and with the weights of the package."""
    image = project.folder / 'images' / 'val0.png'
    own = [installed.config, installed.work / 'epoch_1.pth'] * is_own
    run(installed.python, installed.tools / 'predict.py', image, *own,
        '--out', tmp_path, folder=installed.nothing)
    answer = json.loads((tmp_path / 'predictions.json').read_text())
    person, = answer['predictions'][0]['people']
    count = 14 if is_own else 16  # Leeds' joints, MPII's
    assert len(answer['joints']) == len(person['keypoints']) == count
    assert np.isfinite(person['keypoints']).all()
    assert (tmp_path / image.name).is_file()
    assert list(installed.nothing.iterdir()) == []
    if not is_own:
        for name in ('checkpoint', 'config'):
            assert installed.package in Path(answer[name]).parents


def test_editable_install_sees_changes_and_is_found_by_mim(tree, tmp_path):
    checkout = tmp_path / 'checkout'
    shutil.copytree(
        tree, checkout, ignore=shutil.ignore_patterns('build', '*.egg-info'))
    environment = Environment(tmp_path / 'environment')
    environment.install('--editable', checkout)
    distribution, = importlib.metadata.distributions(
        name='hourglass-plugin', path=[str(environment.packages)])
    # As mim 0.3.9 looks for a package.
    top_level = distribution.read_text('top_level.txt').split('\n')[0]
    mim = environment.packages / top_level / '.mim'
    (checkout / 'configs/_base_/changed.py').write_text('changed = True\n')
    assert Config.fromfile(str(mim / 'configs/_base_/changed.py')).changed
    assert (mim / 'model-index.yml').samefile(checkout / 'model-index.yml')
    assert (mim / 'tools/train.py').is_file()
    # Python finds the package by a hook or a folder of links, by the mode.
    used = Path(run(
        environment.python, '-c', 'import importlib.util as u; '
        'print(u.find_spec("hourglass_plugin").origin)',
        folder=tmp_path).strip())
    assert used.samefile(checkout / 'hourglass_plugin/__init__.py')
    weights, = (checkout / 'hourglass_plugin/weights').glob('*.pth')
    assert (used.parent / 'weights' / weights.name).samefile(weights)
