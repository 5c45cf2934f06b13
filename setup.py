"""Metadata and contents of the package; dependencies are in requirements/.

configs/, tools/ and model-index.yml go into the package as
``hourglass_plugin/.mim``, where OpenMMLab's ``mim`` looks for them and
``hourglass_plugin.config_path`` finds them: copied into wheels and sdists,
linked in a checkout that is installed with ``pip install --editable``.
"""
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
PACKAGE = 'hourglass_plugin'
MIM = ['configs', 'tools', 'model-index.yml']


def version() -> str:
    """``__version__``, read without importing the package."""
    text = (ROOT / PACKAGE / '__init__.py').read_text('utf-8')
    return re.search(r"^__version__ = '(.+)'$", text, re.MULTILINE)[1]


def mim_files() -> Iterator[str]:
    """Paths in the checkout of what goes into ``.mim``."""
    for name in MIM:
        path = ROOT / name
        for file in sorted(path.rglob('*')) if path.is_dir() else [path]:
            if file.suffix in ('.jinja', '.md', '.py', '.sh', '.yml'):
                yield file.relative_to(ROOT).as_posix()


class BuildWithMim(build_py):
    """Modules, and ``.mim`` beside them."""

    def run(self) -> None:
        """Build, from nothing: what was deleted since must not stay."""
        if self.editable_mode:
            link_mim()
        else:
            shutil.rmtree(Path(self.build_lib, PACKAGE), ignore_errors=True)
        super().run()

    def _get_data_files(self) -> list[tuple]:
        # setuptools copies them into wheels and links them in strict editable
        # installs.
        return [
            *super()._get_data_files(),
            (PACKAGE, '', str(Path(self.build_lib, PACKAGE,
                                   '.mim')), list(mim_files()))
        ]


def link_mim() -> None:
    """Links in the checkout's package, so that changes are seen at once."""
    folder = ROOT / PACKAGE / '.mim'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in MIM:
        try:
            (folder / name).symlink_to(
                os.path.join('..', '..', name), (ROOT / name).is_dir())
        except OSError:  # Windows allows it to administrators and developers
            copy_mim(ROOT)
            return


def copy_mim(root: Path) -> None:
    """Copies in the package below ``root``."""
    for file in mim_files():
        target = root / PACKAGE / '.mim' / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, target)


class SdistWithMim(sdist):
    """The checkout, and ``.mim`` as in OpenMMLab's sdists."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Lay out what is to be packed."""
        super().make_release_tree(base_dir, files)
        copy_mim(Path(base_dir))


class EditableWithMim(editable_wheel):
    """An editable install that mim 0.3.9 finds.

    It takes a package to lie in site-packages, below the first name in
    top_level.txt, where an editable install has nothing. Joined to an absolute
    path, that is the path. May go when mim asks importlib where packages are.
    """

    def _ensure_dist_info(self) -> None:
        super()._ensure_dist_info()
        Path(self.dist_info_dir,
             'top_level.txt').write_text(f'{ROOT / PACKAGE}\n{PACKAGE}\n',
                                         'utf-8')


setup(
    name='hourglass-plugin',
    version=version(),
    description='Stacked hourglass networks for human pose estimation in '
    'MMPose: network, codecs, datasets and metrics of the paper',
    long_description=(ROOT / 'README.md').read_text('utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='pose estimation, keypoints, stacked hourglass, MMPose',
    packages=find_packages(include=[f'{PACKAGE}*']),
    entry_points=dict(
        console_scripts=['hourglass = hourglass_plugin.cli.main:main']),
    package_data={
        PACKAGE: ['py.typed'],
        f'{PACKAGE}.report': ['*.jinja'],
        f'{PACKAGE}.weights': ['*.md', '*.pth']
    },
    cmdclass=dict(
        build_py=BuildWithMim,
        editable_wheel=EditableWithMim,
        sdist=SdistWithMim),
    python_requires='>=3.10',
    # Not mmpose: pip would go after its chumpy, even where MMPose works. Not
    # mmengine and mmcv either: their forks and builds have other names.
    # requirements/mminstall.txt lists them, and the package says at import
    # what is missing.
    install_requires=[
        'numpy>=1.26',  # arrays
        'torch>=2.1',  # the network
    ],
    # For an environment with nothing in it, the network alone; mmengine brings
    # what it needs. An extra for all of MMPose cannot be: mmpose declares
    # chumpy, which does not build, so that it is installed with --no-deps,
    # which an extra cannot say.
    extras_require={
        'network': ['mmengine>=0.10.7'],
        # What `hourglass init` reads SLEAP's labels and DeepLabCut's .h5 by.
        'labels': ['sleap-io', 'pandas', 'tables'],
        'fast': ['openvino>=2026.4'],  # --fast: networks on CPUs
        'video': ['av'],  # videos in H.264, which every player knows
    },
    classifiers=[
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Operating System :: OS Independent',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    zip_safe=False)
