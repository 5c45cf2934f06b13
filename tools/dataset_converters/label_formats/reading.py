"""Find out which tool wrote labels, and read them."""
import zipfile
from collections.abc import Callable
from pathlib import Path

import yaml

from . import animal_tools, ultralytics, web_tools
from .table import LabelTable

Reader = Callable[[Path], LabelTable]


def read_labels(path: str | Path, unpacked: str | Path) -> LabelTable:
    """Read labels of any tool that :mod:`hourglass_plugin.labels` knows.

    Args:
        path: file, zip or folder.
        unpacked: folder for the content of a zip.

    Returns:
        One table, of all files if a zip or a folder has several.

    Raises:
        FileNotFoundError: if there is nothing of this name.
        ValueError: if it is of no known tool, or is damaged; names the file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'there are no labels {path}')
    if path.suffix.lower() == '.zip':
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(unpacked)
        except zipfile.BadZipFile as error:
            raise ValueError(f'{path} is no zip, or a part of one: '
                             f'{error}') from error
        path = Path(unpacked)
    reader = None if path.is_dir() else _reader_of(path)
    files = [path]
    if path.is_dir() or (reader is animal_tools.read_deeplabcut
                         and path.suffix in ('.yaml', '.yml')):
        reader, files = _files_in(path if path.is_dir() else path.parent)
    if reader is None:
        raise ValueError(f'{path} has no labels of a known tool: see '
                         'docs/labels.md for the formats')
    tables = []
    for file in files:
        try:
            tables.append(reader(file))
        except (LookupError, TypeError, ValueError, AttributeError,
                ArithmeticError, SyntaxError, OSError, StopIteration) as error:
            if str(file) in str(error):
                raise
            raise ValueError(f'{file}: this is no export of the tool that it '
                             f'looks like, or damaged: {type(error).__name__} '
                             f'{error}') from error
    merged = tables[0]
    for table in tables[1:]:
        merged = LabelTable(merged.images + table.images,
                            {**table.categories, **merged.categories})
    return merged


def _reader_of(path: Path) -> Reader | None:
    """Return the reader of a file, by its suffix and content."""
    kind = path.suffix.lower()
    if kind == '.slp':
        return animal_tools.read_sleap
    if kind in ('.csv', '.h5', '.hdf5'):
        return animal_tools.read_deeplabcut
    if kind == '.xml':
        return web_tools.read_cvat
    if kind in ('.yaml', '.yml'):
        try:
            settings = yaml.safe_load(path.read_text('utf-8'))
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f'{path} is no YAML: {error}') from error
        if not isinstance(settings, dict):
            return None
        if 'kpt_shape' in settings:
            return ultralytics.read_ultralytics
        return animal_tools.read_deeplabcut if (
            'bodyparts' in settings) else None
    if kind != '.json':
        return None
    try:
        content = web_tools.load_json(path)
    except ValueError as error:
        raise ValueError(f'{path} is no JSON: {error}') from error
    if isinstance(content, list):
        return web_tools.read_label_studio if any(
            word in str(content) for word in ('keypointlabels', "'result'")
        ) else None
    if not isinstance(content, dict):
        return None
    if 'annotations' in content and 'images' in content:
        return web_tools.read_coco
    return web_tools.read_labelme if 'shapes' in content else None


def _files_in(folder: Path) -> tuple[Reader | None, list[Path]]:
    """Return the files with labels in a folder; those of one tool."""
    for pattern in ('*.y*ml', '*.xml', 'CollectedData*.csv',
                    'CollectedData*.h5', '*.slp', '*.json'):
        files = [(file, _reader_of(file))
                 for file in sorted(folder.rglob(pattern))
                 if not file.name.startswith('._')]  # macOS writes these
        known = [reader for _, reader in files if reader is not None]
        if known and not (pattern == '*.y*ml' and known[0] is
                          animal_tools.read_deeplabcut):
            return known[0], [file for file, reader in files
                              if reader is known[0]]
    return None, []
