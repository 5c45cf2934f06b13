"""Leeds Sports Pose: 1,000 people to train on, 1,000 to test on.

Its extension adds 10,000 people to train on.
"""
from pathlib import Path
from typing import Optional

from contents import Contents, Count, ImageFolder, Subset, Task
from data_set import prepare
from downloads import Downloads, only

from hourglass_plugin.datasets.readers.lsp import read_lsp, read_lsp_joints
from hourglass_plugin.datasets.readers.person import Person

_SOURCES = ('joints.mat', )
_ARCHIVES = ('lsp_*.zip', 'lspet*.zip')


def prepare_lsp(task: Task,
                joints: Optional[str] = None,
                images: Optional[str] = None,
                extended: bool = True,
                extended_joints: Optional[str] = None,
                extended_images: Optional[str] = None) -> None:
    """Prepare Leeds Sports Pose; see :func:`.data_set.prepare`.

    ``annotations/lsp_train.json`` and ``lsp_test.json`` count pixels from 0.
    Images are in ``images/lsp`` and ``images/lspet``.

    Args:
        task: what to do; the downloads are ``lsp_dataset.zip`` and
            ``lspet_dataset.zip``, or their contents.
        joints: LSP's ``joints.mat``; None searches the downloads.
        images: folder of its images; None searches the downloads.
        extended: whether people of LSP extended are wanted.
        extended_joints: the ``joints.mat`` of LSP extended.
        extended_images: folder of its images.
    """

    def read(downloads: Downloads) -> Contents:
        path = _find(downloads, joints, False, 'lsp_*.zip')
        if path is None:
            raise FileNotFoundError(
                'LSP needs joints.mat, which is in lsp_dataset.zip, but the '
                'downloads have none of shape 3 x 14 x people; see --help')
        train = _read(path, 'train', 'lsp/')
        test = _read(path, 'test', 'lsp/')
        counts = [
            Count('people of LSP to train on', len(train), 1000),
            Count('people of LSP to test on', len(test), 1000)
        ]
        folders = [
            ImageFolder('images/lsp', 'lsp/', images, path.parent, '--images')
        ]
        warnings = []
        more = _find(downloads, extended_joints, True,
                     'lspet*.zip') if extended else None
        if more is not None:
            people = _read(more, 'train', 'lspet/')
            total = len(read_lsp_joints(more).keypoints)
            counts.append(Count('people of LSP extended', total, 10000))
            folders.append(
                ImageFolder('images/lspet', 'lspet/', extended_images,
                            more.parent, '--extended-images'))
            if total > len(people):
                warnings.append('left out, as they have no annotated joint: '
                                f'{total - len(people)} of LSP extended')
            train = train + people
        elif extended:
            warnings.append('LSP extended (lspet_dataset.zip) is not in the '
                            'downloads; it has 10000 more people to train on')
        return Contents([
            Subset('lsp_train.json', 'train on', train, 0),
            Subset('lsp_test.json', 'test on', test, 0)
        ], counts, folders, warnings)

    options = dict(
        joints=joints,
        images=images,
        extended=extended,
        extended_joints=extended_joints,
        extended_images=extended_images)
    prepare(task, options, _SOURCES, _ARCHIVES, read)


def _find(downloads: Downloads, given: Optional[str], extended: bool,
          archives: str) -> Optional[Path]:
    """The ``joints.mat`` of LSP or of its extension; their shapes differ."""
    if given is not None:
        if read_lsp_joints(given).extended != extended:
            raise ValueError(
                f'{given} is that of LSP extended, not of LSP' if not extended
                else f'{given} is that of LSP, not of LSP extended')
        return Path(given)
    while True:
        found = only([
            path for path in downloads.files('joints.mat')
            if read_lsp_joints(path).extended == extended
        ])
        if found is not None or not downloads.unpack_next(archives):
            return found


def _read(path: Path, subset: str, folder: str) -> list[Person]:
    """People whose images are in that folder."""
    return [
        person._replace(image=folder + person.image)
        for person in read_lsp(path, subset)
    ]
