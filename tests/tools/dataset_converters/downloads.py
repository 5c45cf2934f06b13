"""Small downloads for the converters, written and converted."""
import importlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
from matlab_files import flic_example, struct_array, write_head_boxes
from pose_files import entry, write_json
from scipy.io import savemat

from hourglass_plugin.skeletons import MPII


def convert(name, sources, out, *options):
    """Call a converter, which may find fewer people than the real files."""
    script = importlib.import_module(f'prepare_{name}')
    sources = sources if isinstance(sources, list) else [sources]
    arguments = (*sources, '--out', out, '--allow-other-counts', *options)
    script.main(script.parse_args([str(each) for each in arguments]))


def jpeg(seed):
    image = np.random.RandomState(seed).randint(0, 255, (64, 64, 3), np.uint8)
    return cv2.imencode('.jpg', image)[1].tobytes()


def write_zip(path, files):
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, files):
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def unpacked(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def mat(**variables):
    buffer = io.BytesIO()
    savemat(buffer, variables)
    return buffer.getvalue()


def examples(*numbers):
    """FLIC's examples.mat: people who face away, number 3 to test on."""
    return mat(examples=struct_array([
        flic_example(f'film-{number}.jpg',
                     np.arange(58.0).reshape(2, 29) + number,
                     istrain=int(number != 3), istest=int(number == 3))
        for number in numbers]))


def flic_files():
    """FLIC.zip's content as files by name: two train, one tests."""
    return {'FLIC/examples.mat': examples(1, 2, 3),
            **{f'FLIC/images/film-{n}.jpg': jpeg(n) for n in (1, 2, 3)}}


def write_lsp(folder):
    """Both archives; four people of LSP, two of LSP extended and a ghost."""
    extended = np.ones((14, 3, 3)) + 10
    extended[:, 2] = [1, 0, 1]
    normal = np.full((3, 14, 4), 10.0 + np.arange(4))
    normal[2] = 0  # all visible
    write_zip(folder / 'lspet_dataset.zip', {
        'joints.mat': mat(joints=extended),
        **{f'images/im{n:05d}.jpg': jpeg(n) for n in (1, 2, 3)}})
    files = {
        f'lsp_dataset/{folder}/im{n:04d}.jpg':
        jpeg(10 + n if folder == 'images' else 0)
        for n in (1, 2, 3, 4) for folder in ('drawn', 'images', 'visualized')}
    write_zip(folder / 'lsp_dataset.zip',
              {'lsp_dataset/joints.mat': mat(joints=normal), **files})


def write_mpii(folder):
    """MPII's people as JSON: three train, two validate; head boxes."""
    people = [entry(MPII, seed) for seed in range(5)]
    write_json(folder / 'train.json', people[:3])
    write_json(folder / 'valid.json', people[3:])
    write_head_boxes(folder / 'gt_valid.mat', people[3:],
                     [[[10, 10], [13, 14]], [[10, 10], [16, 18]]])
    return people


def content_of(folder):
    """Every file below a folder with its bytes; links are followed."""
    paths = [os.path.join(top, name)
             for top, _, names in os.walk(folder, followlinks=True)
             for name in names]
    return {os.path.relpath(path, folder): Path(path).read_bytes()
            for path in paths}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())
