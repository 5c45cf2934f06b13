#!/usr/bin/env python
"""Begin a project from labels of any tool: data, config and a sheet to check.

Reads COCO's format (file, or zip of CVAT or Roboflow), CVAT XML, Label
Studio, LabelMe, DeepLabCut, Lightning Pose, SLEAP and Ultralytics pose
datasets; splits them by video or folder; chooses input size, stacks, epochs
and batch, with the reasons as comments; starts from the package's weights.
"""
import argparse
import io
import re
import shutil
import sys
import textwrap
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[:0] = [
    str(Path(__file__).resolve().parents[depth]) for depth in (0, 2)]
from hourglass_plugin.cli import errors
from hourglass_plugin.cli.arguments import positive_int

if TYPE_CHECKING:
    from label_formats.project import Split
    from label_formats.table import KeypointNames


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        'labels', help='file, zip or folder, as the labelling tool wrote it')
    parser.add_argument(
        'images',
        nargs='?',
        help='folder of the images, or the video (default: beside the labels)')
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the new project')
    parser.add_argument(
        '--category', help='the one to train, if the labels have several')
    parser.add_argument(
        '--minutes',
        type=positive_int,
        help='time to train on this machine (default: 15 on CPUs, 60 on a '
        'GPU)')


def main(args: argparse.Namespace) -> None:
    """Read, check, split, write, draw."""
    with errors.setting_up():
        from label_formats import project
        from label_formats.reading import read_labels

        out = Path(args.out)
        if (out / 'config.py').exists():
            raise ValueError(f'{out} has a config.py: remove it, or choose '
                             'another --out')
        labels = Path(args.labels)
        table = read_labels(labels, out / 'labels')
        keypoints = table.choose(args.category)
        folder = Path(args.images or (
            out / 'labels' if labels.suffix.lower() == '.zip' else
            labels if labels.is_dir() else labels.parent))
        if not folder.exists():
            raise FileNotFoundError(f'there are no images {folder}')
        images, root, remarks = project.collect_images(
            table.images, folder, out / 'images')
        split = project.split_images(images)
        config = write_project(args, keypoints, split, root)
        from hourglass_plugin.cli.configs import load_config
        from hourglass_plugin.cli.main import load_command
        build_dataset = load_command('browse').build_dataset
        import dataset_samples
        # With all the checks of a training; pycocotools prints its steps.
        try:
            with redirect_stdout(io.StringIO()):
                val: Any = build_dataset(load_config(config), 'val')
                train: Any = build_dataset(load_config(config), 'train')
        except BaseException:
            Path(config).unlink()  # so that init can be called again
            raise
    sheet, = dataset_samples.write_dataset_sheets(train, 24, out, 'sheet')
    for remark in remarks:
        print(remark)
    pairs = [f'{a} - {b}' for a, b in keypoints.flips.items() if a < b]
    print(f'{len(keypoints.names)} keypoints: {", ".join(keypoints.names)}\n'
          f'left and right: {", ".join(pairs) or "no pairs"}\n'
          f'{len(train)} samples to train, '
          f'{len(val)} to validate. {split.reason}\n'
          f'look at {sheet}, then:\nhourglass train {config}')


def write_project(args: argparse.Namespace, keypoints: 'KeypointNames',
                  split: 'Split', root: Path) -> str:
    """Write annotations, start weights and config; return the config's path.

    Args:
        args: of the command.
        keypoints: of the labels.
        split: images to train and to validate on.
        root: folder of the images.
    """
    import jinja2
    from label_formats import project, settings
    from mmengine.config import Config

    from hourglass_plugin.atomic_files import atomic_file
    from hourglass_plugin.cli.configs import write_json
    from hourglass_plugin.weights import shipped_weights
    out = Path(args.out)
    config, checkpoint = shipped_weights()
    backbone = Config.fromfile(config).model.backbone.to_dict()
    backbone.pop('init_cfg', None)  # start.pth has it all
    chosen = settings.choose_settings(split.train, keypoints, backbone,
                                      args.minutes)
    name = re.sub(r'\W+', '_', out.resolve().name) or 'custom'
    for part, images in (('train', split.train), ('val', split.val)):
        write_json(
            str(out / f'annotations/{part}.json'),
            project.coco_content(images, keypoints, name,
                                 chosen['whole_image']))
    with atomic_file(out / 'start.pth') as partial:
        shutil.copyfile(checkpoint, partial)
    entries = [
        repr(dict(name=each, swap=keypoints.flips[each])
             if each in keypoints.flips else dict(name=each))
        for each in keypoints.names]
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters['comment'] = lambda text: '\n'.join(
        textwrap.wrap(text, 79, initial_indent='# ', subsequent_indent='# '))
    template = environment.from_string(
        Path(project.__file__).with_name('config.py.jinja').read_text('utf-8'))
    text = template.render(
        labels=args.labels,
        name=repr(name),
        monitor=repr(f'{name}/BoxPCK_AUC'),
        image_folder=repr(f'{root.absolute().as_posix()}/'),
        keypoints=entries,
        links=keypoints.links,
        swaps_from='from the names' if keypoints.flips else
        'for none: no names with left and right',
        why_split=split.reason,
        num_train=len(split.train),
        num_val=len(split.val),
        **chosen)
    with atomic_file(out / 'config.py') as partial:
        partial.write_text(text, 'utf-8')
    return str(out / 'config.py')


if __name__ == '__main__':
    errors.run_command(sys.modules[__name__])
