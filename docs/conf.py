"""Settings of Sphinx for the pages and the API from docstrings.

    python -m sphinx -W --keep-going -b html docs docs/_build/html

in an environment in which the package and MMPose import, without a network.
"""
import builtins
import importlib.util
import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER / 'extensions')]

import hourglass_plugin  # noqa: E402

project = 'hourglass_plugin'
version = release = hourglass_plugin.__version__

extensions = [
    'myst_parser',  # pages in Markdown, which repositories show as well
    'sphinx.ext.autodoc',  # API pages from docstrings
    'sphinx.ext.napoleon',  # docstrings in Google's style
    'sphinx.ext.viewcode',  # the source beside them
    'sphinx_design',  # tabs and cards
    'repository_links',  # ours, see extensions/
    'command_reference',
]
if importlib.util.find_spec('sphinx_copybutton'):  # pages are whole without
    extensions.append('sphinx_copybutton')
exclude_patterns = ['_build']
myst_enable_extensions = ['colon_fence']  # tabs and cards around Markdown
myst_heading_anchors = 4  # as web pages of repositories have them

html_theme = 'furo'
html_title = f'hourglass_plugin {version}'
html_static_path = ['_static']
html_css_files = ['pages.css']
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

add_module_names = False
autodoc_member_order = 'bysource'
# Types stand with the arguments' descriptions, so that signatures stay short.
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented_params'
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in a class's docstring, once
python_use_unqualified_type_names = True
toc_object_entries_show_parents = 'hide'
# A name's source is the module in which it is described.
viewcode_follow_imported_members = False

# A reference that leads nowhere fails the build, except to other libraries:
# linking them takes their lists of names from the network in every build.
nitpicky = True
_others = [
    *(path.stem for path in Path(os.__file__).parent.iterdir()),
    *dir(builtins), '_pickle', 'cv2', 'matplotlib', 'mmcv', 'mmdet',
    'mmengine', 'mmpose', 'np', 'numpy', 'pycocotools', 'torch'
]
nitpick_ignore_regex = [
    ('py:.*', rf'({"|".join(_others)})(\..*)?'),
    ('py:class', 'Config|Dataset'),  # imported for type checkers only
    ('py:class', r'hourglass_plugin\..*\._Result'),  # a variable for a type
]
