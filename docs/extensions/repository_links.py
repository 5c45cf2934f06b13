"""A Sphinx extension for links from pages to files and to docstrings.

Markdown files are read on the repository's web page and in the pages built by
Sphinx. Their links are relative to their file, as the first needs; this
extension makes them work in the second.
"""
import html
import os
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]

#: The page of each Markdown file that does not lie in ``docs/``.
PAGES = {
    'README.md': 'project/overview',
    'CONTRIBUTING.md': 'project/contribute',
    'CHANGELOG.md': 'project/changes',
}
#: Files, and folders whose files are shown, below ``files/``.
SHOWN = ('.github', 'CITATION.cff', 'configs', 'docs/examples', 'examples',
         'hourglass_plugin', 'tools')
#: Folders that Python and an editable install create.
NOT_SHOWN = {'__pycache__', '.mim'}
#: The pictures that pages link without showing them.
PICTURES = ('docs/quickstart.jpg', )
LANGUAGES = {'.py': 'python', '.sh': 'bash', '.yml': 'yaml', '.md': 'markdown'}


class RepositoryLinks(SphinxTransform):
    """Direct links to the page of a Markdown file, or to a copy of another."""

    default_priority = 500  # before Sphinx collects files to download

    def apply(self, **arguments: object) -> None:
        """Replace the references that MyST has made of links to files."""
        for kind in (addnodes.pending_xref, addnodes.download_reference):
            for link in list(self.document.findall(kind)):
                if link.get('reftype') == 'myst':
                    self.replace(link)

    def replace(self, link: nodes.Element) -> None:
        """Replace one reference; a broken one is a warning."""
        target, _, anchor = link['reftarget'].partition('#')
        if not target:
            return
        docname = self.env.docname
        if link.get('refdomain') == 'doc':
            # MyST has found a page, and calls it by its path from docs/, or
            # from the file system's root, without the ending.
            path = ROOT / 'docs' / f'{target}.md'
            anchor = link['reftargetid']
        elif docname in PAGES.values():
            path = ROOT / target
        else:
            path = ROOT / 'docs' / Path(docname).parent / target
        name = Path(os.path.relpath(path, ROOT)).as_posix()
        page = PAGES.get(name)
        if name.startswith('docs/') and name.endswith('.md'):
            page = name[len('docs/'):-len('.md')]
        if page is not None:
            new = addnodes.pending_xref(
                refdomain='doc',
                reftype='myst',
                reftarget=page,
                reftargetid=anchor or None,
                refdoc=docname,
                refexplicit=link['refexplicit'])
        elif (ROOT / name).exists() and f'{name}/'.startswith(
                tuple(f'{folder}/' for folder in SHOWN)):
            steps = '../' * docname.count('/')
            new = nodes.reference(
                refuri=f'{steps}files/{name}.html', internal=True)
        elif name in PICTURES:
            new = addnodes.download_reference(
                reftarget=f'/{name[len("docs/"):]}', refdoc=docname)
        else:
            logger.warning(
                '%s is neither a page nor in a folder that is shown',
                name,
                location=link)
            return
        new.extend(link.children)
        link.replace_self(new)


def file_pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """Yield a page for each file and folder that links may lead to."""
    for folder in SHOWN:
        for path in sorted([ROOT / folder, *(ROOT / folder).rglob('*')]):
            name = path.relative_to(ROOT).as_posix()
            if NOT_SHOWN.intersection(path.parts):
                continue
            if path.is_dir():
                body = _folder_list(path)
            elif path.suffix == '.pth':
                body = f'<p>{path.stat().st_size:,} bytes</p>'
            else:
                body = app.builder.highlighter.highlight_block(
                    path.read_text('utf-8'),
                    LANGUAGES.get(path.suffix, 'text'))
            yield f'files/{name}', dict(
                title=name, body=f'<h1>{html.escape(name)}</h1>{body}'
            ), 'page.html'


def _folder_list(folder: Path) -> str:
    """Return links to the entries of a folder, relative to its page."""
    items = []
    for path in sorted(folder.iterdir()):
        if path.name not in NOT_SHOWN:
            name = html.escape(path.name + '/' * path.is_dir())
            link = html.escape(f'{folder.name}/{path.name}.html')
            items.append(f'<li><a href="{link}">{name}</a></li>')
    return f'<ul>{"".join(items)}</ul>'


def find_by_last_name(app: Sphinx, env: BuildEnvironment,
                      node: addnodes.pending_xref,
                      content: nodes.Element) -> nodes.reference | None:
    """Find a class or function of the package by its last name alone.

    Docstrings use names alone, ``StackedHourglass``. If there are two of that
    name, the reference stays broken.
    """
    if node.get('refdomain') != 'py':
        return None
    objects = env.get_domain('py').objects
    ending = '.' + node['reftarget'].lstrip('.')
    found = [name for name in objects if name.endswith(ending)]
    if len(found) != 1:
        return None
    entry = objects[found[0]]
    return make_refnode(app.builder, node['refdoc'], entry.docname,
                        entry.node_id, content, found[0])


def public_bases(app: Sphinx, name: str, obj: type, options: dict,
                 bases: list) -> None:
    """Replace a private base class by its own bases."""
    for base in [base for base in bases if base.__name__.startswith('_')]:
        place = bases.index(base)
        bases[place:place + 1] = base.__bases__


def skip_named_tuple_fields(app: Sphinx, what: str, name: str, obj: object,
                            skip: bool, options: dict) -> bool | None:
    """Skip Python's generic docstrings of fields, which classes describe."""
    is_field = (getattr(obj, '__doc__', None)
                or '').startswith('Alias for field number')
    return True if is_field else None


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.add_transform(RepositoryLinks)
    app.connect('html-collect-pages', file_pages)
    app.connect('missing-reference', find_by_last_name)
    app.connect('autodoc-process-bases', public_bases)
    app.connect('autodoc-skip-member', skip_named_tuple_fields)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
