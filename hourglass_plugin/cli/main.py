"""The command ``hourglass`` with a sub-command for each module here."""
import argparse
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from . import errors

#: Sub-command -> its line of help.
COMMANDS = {
    'init': 'begin a project from the labels of any tool',
    'train': 'train the model of a config',
    'test': 'evaluate a checkpoint',
    'predict': 'draw the poses in images, videos or of a camera',
    'browse': "draw a config's training samples",
    'export': 'write a trained network as ONNX or torch.export program',
    'convert': 'convert published PyTorch weights',
    'env': 'print the versions that a report of an error needs'}
#: Those that are scripts of ``tools/``, which wheels have, too.
_TOOLS = dict(
    init='dataset_converters/init_project.py',
    browse='misc/browse_dataset.py',
    export='export_onnx.py',
    convert='misc/convert_checkpoint.py')


def load_command(name: str) -> ModuleType:
    """Return the module of a sub-command; importing it imports no torch.

    Raises:
        FileNotFoundError: if the package was copied without its tools.
    """
    if name not in _TOOLS:
        return importlib.import_module(f'.{name}', __package__)
    package = Path(__file__).absolute().parents[1]
    for folder in (package.parent / 'tools', package / '.mim' / 'tools'):
        path = folder / _TOOLS[name]
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if path.is_file() and spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise FileNotFoundError(f'there is no {_TOOLS[name]}: install the package '
                            'with pip')


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run a sub-command.

    Args:
        arguments: by default those of the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        'hourglass',
        description='Stacked hourglass networks for keypoints.',
        epilog='hourglass COMMAND --help describes a command')
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    for name, line in COMMANDS.items():
        child = commands.add_parser(
            name, help=line, formatter_class=(
                argparse.RawDescriptionHelpFormatter))
        # The others' modules are not needed to parse.
        if arguments[:1] == [name]:
            module = load_command(name)
            child.description = module.__doc__
            suffix = '.pt2' if any(
                each.endswith('.pt2') for each in arguments) else '.onnx'
            module.add_arguments(
                child, **(dict(suffix=suffix) if name == 'export' else {}))
            child.set_defaults(main=module.main)
    args = parser.parse_args(arguments)
    errors.run(args.main, args)
