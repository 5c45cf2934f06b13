"""Package metadata; requirements/ has what else is needed, and why."""
import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def version() -> str:
    """``__version__``, read without importing the package."""
    text = (ROOT / 'hourglass_plugin' / '__init__.py').read_text('utf-8')
    return re.search(r"^__version__ = '(.+)'$", text, re.MULTILINE)[1]


def readme() -> str:
    """The README, if this copy has it."""
    path = ROOT / 'README.md'
    return path.read_text('utf-8') if path.is_file() else ''


setup(
    name='hourglass-plugin',
    version=version(),
    description='Stacked hourglass networks for human pose estimation in '
    'MMPose: network, codecs, data sets and metrics of the paper',
    long_description=readme(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['hourglass_plugin*']),
    python_requires='>=3.9',
    # Not mmpose: pip would go after its chumpy, which does not build, even
    # where MMPose works. Not mmengine and mmcv either: their forks and builds
    # have other names. requirements/mminstall.txt lists them, and the package
    # says at import what is missing.
    install_requires=['numpy>=1.26', 'torch>=2.1'],
    classifiers=[
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.9',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Operating System :: OS Independent',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    zip_safe=False)
