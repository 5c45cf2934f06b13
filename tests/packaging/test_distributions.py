"""Wheel, sdist and editable install: what is in them, and that they work.

Built from a copy of the files that git knows, installed into environments of
their own, and used from an empty folder.
"""
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import synthetic_people
import torch
from fresh_interpreter import run_python
from mmengine.config import Config
from mmengine.runner import Runner
from synthetic import Settings

pytest.importorskip('setuptools', '70.1', 'pyproject.toml asks for it')
ROOT = Path(__file__).resolve().parents[2]
if shutil.which('git') is None or not (ROOT / '.git').exists():
    pytest.skip(
        'distributions are built from a clone', allow_module_level=True)

# What the sdist has of the root of the repository; a new file there is either
# added here or, as documents and tests are, left out on purpose.
ROOT_FILES = {
    'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'MANIFEST.in', 'README.md',
    'model-index.yml', 'pyproject.toml', 'setup.py'
}
# A training step and a prediction with nothing but the network.
USE_NETWORK = '''
import torch, hourglass_plugin
from hourglass_plugin.models import StackedHourglass
torch.manual_seed(0)
network = StackedHourglass(num_stacks=2, feat_channels=16, num_keypoints=4)
images, target = torch.rand(2, 3, 64, 64), torch.rand(2, 4, 16, 16)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
losses = []
for step in range(2):
    loss = sum((heatmaps - target).square().mean()
               for heatmaps in network(images))
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    heatmaps = network.eval()(images)[-1]
result = dict(file=hourglass_plugin.__file__, losses=losses,
              shape=list(heatmaps.shape), values=heatmaps[0, 0, 0].tolist(),
              config=hourglass_plugin.config_path(
                  'td-hm_hg8_1xb6-220e_mpii-256x256.py'))
'''


def run(*command, folder=ROOT):
    """Run a command as a user does who has no PYTHONPATH; stdout."""
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        capture_output=True,
        text=True,
        env={
            **{
                key: value
                for key, value in os.environ.items() if key != 'PYTHONPATH'
            }, 'OMP_NUM_THREADS': '1'
        })
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def build(kind, source, target):
    """Have setuptools build what pip or ``build`` would, without a network."""
    target.mkdir(exist_ok=True)
    run(sys.executable,
        '-c', 'from setuptools import build_meta; '
        f'build_meta.build_{kind}({str(target)!r})',
        folder=source)
    path, = target.iterdir()
    return path


def files_below(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*') if path.is_file()
    }


@pytest.fixture(scope='module')
def tracked():
    """What git knows, and what it would know after ``git add``."""
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


def mim(tracked):
    """The files of the package's ``.mim``."""
    return {
        f'hourglass_plugin/.mim/{name}'
        for name in tracked
        if name == 'model-index.yml' or name.split('/')[0] in ('configs',
                                                               'tools')
    }


def read_wheel(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_holds_the_package_and_nothing_else(wheel, tracked):
    package = {
        name
        for name in tracked if name.startswith('hourglass_plugin/')
    }
    assert 'hourglass_plugin/py.typed' in package
    metadata = {
        f'hourglass_plugin-0.1.0.dist-info/{name}'
        for name in ('METADATA', 'RECORD', 'WHEEL', 'top_level.txt',
                     'licenses/LICENSE')
    }
    contents = read_wheel(wheel)
    # Before setuptools 77 the license lay one folder higher.
    names = {name.replace('info/LICENSE', 'info/licenses/LICENSE')
             for name in contents}  # yapf: disable
    assert names == package | mim(tracked) | metadata
    for name in mim(tracked):
        assert contents[name] == (ROOT / name.split('.mim/')[1]).read_bytes()


def test_sdist_holds_what_a_wheel_is_built_from(sdist, tracked):
    with tarfile.open(sdist) as archive:
        names = {
            member.name.partition('/')[2]
            for member in archive.getmembers() if member.isfile()
        }
    generated = {
        name
        for name in names
        if name in ('PKG-INFO', 'setup.cfg') or '.egg-info/' in name
    }
    expected = {
        name
        for name in tracked if name in ROOT_FILES or name.split('/')[0] in (
            'configs', 'hourglass_plugin', 'requirements', 'tools')
    }
    assert names - generated == expected | mim(tracked)


def test_wheel_of_the_sdist_is_the_same(sdist, wheel, tmp_path):
    shutil.unpack_archive(str(sdist), str(tmp_path / 'source'))
    source, = (tmp_path / 'source').iterdir()
    again = build('wheel', source, tmp_path / 'wheel')
    assert read_wheel(again) == read_wheel(wheel)


def test_network_extra_is_all_that_declares_mmengine(wheel):
    # pip would go after mmpose's chumpy if mmpose were declared.
    folder = 'hourglass_plugin-0.1.0.dist-info'
    metadata = read_wheel(wheel)[f'{folder}/METADATA'].decode()
    declared = re.findall(r'^Requires-Dist: ([\w-]+).*?(extra.*)?$', metadata,
                          re.MULTILINE)
    assert sorted(name for name, extra in declared
                  if not extra) == ['numpy', 'torch']
    assert [name for name, extra in declared if extra] == ['mmengine']


class Environment:
    """An environment of its own.

    Args:
        folder: where it is made.
        borrow: whether it sees what is installed here, but not what this
            environment has in editable installs.
    """

    def __init__(self, folder, borrow):
        run(sys.executable, '-m', 'venv', *['--without-pip'] * borrow, folder)
        self.python = folder / ('Scripts/python.exe'
                                if os.name == 'nt' else 'bin/python')
        self.packages = Path(
            run(self.python, '-c',
                'import sysconfig; print(sysconfig.get_path("purelib"))').
            strip())
        if borrow:
            here = [
                path for path in sys.path
                if Path(path).name in ('site-packages', 'dist-packages')
            ]
            self.see(*here)
            for path in here:  # setuptools' distutils, for mmengine
                shim = Path(path, 'distutils-precedence.pth')
                if shim.is_file():
                    shutil.copy(shim, self.packages)

    def see(self, *folders):
        """Search these folders for modules, too."""
        (self.packages / 'borrowed.pth').write_text('\n'.join(
            map(str, folders)))

    def install(self, *arguments):
        """Install without a network, and without touching what is borrowed."""
        run(self.python, '-m', 'pip', 'install', '--quiet', '--no-deps',
            '--no-index', '--no-build-isolation', '--ignore-installed',
            *arguments)


def link_torch(folder):
    """Links to the torch that is installed here, and to what it needs.

    They lie outside of the environment that sees them, where pip removes
    nothing.
    """
    folder.mkdir()
    wanted, seen = ['torch'], set()
    while wanted:
        name = wanted.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for other systems
        seen.add(name)
        needs = [
            re.match(r'[\w.-]+', need)[0]
            for need in distribution.requires or [] if 'extra ==' not in need
        ]
        wanted += [need for need in needs if need not in seen]
        tops = {file.parts[0] for file in distribution.files}
        for top in tops - {'..', '__pycache__'}:
            if not (folder / top).exists():
                (folder / top).symlink_to(distribution.locate_file(top))


def check_network(used, environment, expected):
    """``result`` of USE_NETWORK there and in the checkout."""
    assert Path(used['file']).parents[1] == environment.packages
    assert Path(used['config']) == (
        environment.packages / 'hourglass_plugin/.mim/configs' /
        'body_2d_keypoint/topdown_heatmap/mpii' /
        'td-hm_hg8_1xb6-220e_mpii-256x256.py')
    assert Path(used['config']).is_file()
    first, second = used['losses']
    assert second < first
    assert used['shape'] == [2, 4, 16, 16]
    # Both in float32 with one thread; versions of torch may add up in
    # another order.
    np.testing.assert_allclose(used['losses'], expected['losses'], rtol=1e-4)
    np.testing.assert_allclose(
        used['values'], expected['values'], rtol=1e-3, atol=1e-4)


def test_empty_environment_uses_the_network(wheel, tmp_path):
    environment = Environment(tmp_path / 'empty', borrow=False)
    torch_version = ['--constraint', ROOT / 'requirements/torch.txt']
    if torch.version.cuda or torch.version.hip:
        # Another torch would be gigabytes.
        link_torch(tmp_path / 'torch')
        environment.see(tmp_path / 'torch')
        torch_version = []
    finished = subprocess.run([
        str(environment.python), '-m', 'pip', 'install', '--retries', '1',
        '--no-compile', f'hourglass-plugin[network] @ {wheel.as_uri()}',
        *map(str, torch_version)
    ],
                              capture_output=True,
                              text=True)
    output = finished.stdout + finished.stderr
    if finished.returncode and re.search(
            'NewConnectionError|ConnectTimeout|NameResolution|ProxyError|'
            'Ignoring indexes', output):
        pytest.skip('pip reaches no index to fill an empty environment from')
    assert finished.returncode == 0, output
    if 'libGL' in subprocess.run(
        [str(environment.python), '-c', 'import cv2'],
            capture_output=True, text=True).stderr:  # yapf: disable
        # mmengine asks for OpenCV with windows, which needs system libraries.
        run(environment.python, '-m', 'pip', 'install', '--force-reinstall',
            '--no-deps', 'opencv-python-headless')
    (tmp_path / 'nothing').mkdir()
    answer = run(
        environment.python,
        '-c',
        f'{USE_NETWORK}\nimport json; print("result:", json.dumps(result))',
        folder=tmp_path / 'nothing')
    expected, _ = run_python(USE_NETWORK, hide=['mmpose'])
    check_network(
        json.loads(answer.rpartition('result:')[2]), environment, expected)


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    """A few synthetic people, and a small config that inherits."""
    folder = tmp_path_factory.mktemp('people')
    for _ in synthetic_people.DATASET.write(
            str(folder / 'data'), Settings(4, 2), 1):
        pass
    config = folder / 'small.py'
    config.write_text(f'''
_base_ = __import__('hourglass_plugin').config_path(
    'td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py')
package = __import__('hourglass_plugin').__file__
data = dict(dataset=dict(data_root={str(folder / 'data')!r}),
            num_workers=0, persistent_workers=False, batch_size=2)
train_dataloader = data
val_dataloader = data
test_dataloader = data
model = dict(backbone=dict(feat_channels=16))
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = []
optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(logger=dict(interval=1))
''')
    return SimpleNamespace(config=config, images=folder / 'data/images')


@pytest.fixture(scope='module')
def full(wheel, people, tmp_path_factory):
    """The wheel in an MMPose environment, and people trained on with it."""
    folder = tmp_path_factory.mktemp('full')
    environment = Environment(folder / 'environment', borrow=True)
    environment.install(wheel)
    tools = environment.packages / 'hourglass_plugin/.mim/tools'
    nothing = folder / 'nothing'
    nothing.mkdir()
    run(environment.python,
        tools / 'train.py',
        people.config,
        '--work-dir',
        folder / 'work',
        folder=nothing)
    return SimpleNamespace(
        environment=environment, tools=tools, work=folder / 'work',
        nothing=nothing)  # yapf: disable


def test_mmpose_environment_trains_with_the_wheel(full, people, tmp_path):
    used = Config.fromfile(full.work / 'small.py')
    assert Path(used.package).parents[1] == full.environment.packages
    scalars, = full.work.glob('*/vis_data/scalars.json')
    losses = [
        json.loads(line)['loss'] for line in scalars.read_text().splitlines()
        if '"loss"' in line
    ]
    assert len(losses) == 2  # four people in batches of two

    # The same with the checkout: seeded, so the same numbers.
    config = Config.fromfile(people.config)
    assert Path(config.package).parents[1] == ROOT
    config.work_dir = str(tmp_path)
    config.experiment_name = 'checkout'
    runner = Runner.from_cfg(config)
    runner.train()
    expected = runner.message_hub.get_scalar('train/loss').data[0]
    # The log has the mean of its window, and rounds.
    np.testing.assert_allclose(losses, np.cumsum(expected) / [1, 2], rtol=1e-3)


def test_mmpose_environment_predicts_with_the_wheel(full, people, tmp_path):
    image = sorted(people.images.iterdir())[0]
    run(full.environment.python,
        full.tools / 'predict.py',
        image,
        people.config,
        full.work / 'epoch_1.pth',
        '--out',
        tmp_path,
        folder=full.nothing)
    answer = json.loads((tmp_path / 'predictions.json').read_text())
    person, = answer['predictions'][0]['people']
    assert len(answer['joints']) == len(person['keypoints']) == 16
    assert np.isfinite(person['keypoints']).all()
    assert (tmp_path / image.name).is_file()
    assert list(full.nothing.iterdir()) == []


def test_mmpose_environment_has_weights_of_its_own(full, people, tmp_path):
    image = sorted(people.images.iterdir())[0]
    run(full.environment.python,
        full.tools / 'predict.py',
        image,
        '--out',
        tmp_path,
        folder=full.nothing)
    answer = json.loads((tmp_path / 'predictions.json').read_text())
    package = full.environment.packages / 'hourglass_plugin'
    assert answer['checkpoint'] == str(package /
                                       'weights/lsp_hg2_128x128.pth')
    assert answer['config'] == str(
        package / '.mim/configs/body_2d_keypoint/topdown_heatmap/lspet' /
        'td-hm_hg2-w128_1xb16-30e_lspet-128x128.py')
    person, = answer['predictions'][0]['people']
    assert len(person['keypoints']) == 14


@pytest.mark.parametrize('mode', ['lenient', 'strict'])
def test_editable_install_sees_changes_and_is_found_by_mim(
        mode, tree, tmp_path):
    checkout = tmp_path / 'checkout'
    shutil.copytree(
        tree, checkout, ignore=shutil.ignore_patterns('build', '*.egg-info'))
    environment = Environment(tmp_path / 'environment', borrow=True)
    environment.install('--editable', checkout, '--config-settings',
                        f'editable_mode={mode}')
    distribution, = importlib.metadata.distributions(
        name='hourglass-plugin', path=[str(environment.packages)])
    # As mim 0.3.9 looks for a package.
    top_level = distribution.read_text('top_level.txt').split('\n')[0]
    folder = os.path.join(environment.packages, top_level, '.mim')
    (checkout / 'configs/_base_/changed.py').write_text('changed = True\n')
    assert Config.fromfile(
        os.path.join(folder, 'configs/_base_/changed.py')).changed
    assert os.path.samefile(
        os.path.join(folder, 'model-index.yml'), checkout / 'model-index.yml')
    assert os.path.isfile(os.path.join(folder, 'tools/train.py'))
    weights, = (checkout / 'hourglass_plugin/weights').glob('*.pth')
    # Python finds the package by a hook or a folder of links, by the mode.
    used = run(
        environment.python,
        '-c', 'import importlib.util as u; '
        'print(u.find_spec("hourglass_plugin").origin)',
        folder=tmp_path).strip()
    assert os.path.samefile(used, checkout / 'hourglass_plugin/__init__.py')
    assert os.path.samefile(
        Path(used).parent / 'weights' / weights.name, weights)
