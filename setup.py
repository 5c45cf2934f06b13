"""What pyproject.toml cannot say: ``.mim``, and links of the README.

configs/, tools/ and model-index.yml go into the package as
``hourglass_plugin/.mim``, where OpenMMLab's ``mim`` looks for them and
``hourglass_plugin.config_path`` finds them: copied into wheels and sdists,
linked in a checkout that is installed with ``pip install --editable``.

A package index shows README.md away from the files that it links to. The
address of the repository is ``REPOSITORY_URL``, or on GitHub that of the
repository that builds; where neither is known, links to files become text.
"""
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
PACKAGE = 'hourglass_plugin'
MIM = ['configs', 'tools', 'model-index.yml']


def repository_url() -> str:
    """Return the repository's address on the web, or an empty text."""
    url = os.environ.get('REPOSITORY_URL', '')
    if not url and 'GITHUB_REPOSITORY' in os.environ:
        url = '{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}'.format(**os.environ)
    return url.rstrip('/')


def readme() -> str:
    """Return README.md with links that work everywhere."""
    text = (ROOT / 'README.md').read_text('utf-8')
    url = repository_url()
    relative = r'\]\((?!https?:|mailto:|#)([^)\s]+)\)'
    if not url:
        text = re.sub(r'!\[[^]\n]*' + relative, '', text)
        return re.sub(r'\[([^]\n]*)' + relative, r'\1', text)

    def absolute(link: re.Match) -> str:
        is_picture = Path(link[1]).suffix in ('.jpg', '.png', '.svg')
        return f']({url}/{"raw" if is_picture else "blob"}/main/{link[1]})'

    return re.sub(relative, absolute, text)


def project_urls() -> dict[str, str]:
    """Return the links beside the description on a package index."""
    urls = dict(Paper='https://arxiv.org/abs/1603.06937')
    url = repository_url()
    if url:
        urls.update(
            Repository=url, Issues=f'{url}/issues',
            Documentation=f'{url}/blob/main/docs/index.md',
            Changelog=f'{url}/blob/main/CHANGELOG.md')
    return urls


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
        target = Path(base_dir, 'README.md')
        target.unlink()  # perhaps a hard link to the checkout's
        target.write_text(readme(), 'utf-8')


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
    long_description=readme(),
    long_description_content_type='text/markdown',
    project_urls=project_urls(),
    cmdclass=dict(
        build_py=BuildWithMim,
        editable_wheel=EditableWithMim,
        sdist=SdistWithMim))
