"""FLIC: 3,987 people to train on and 1,016 to test on."""
from pathlib import Path
from typing import Optional

from contents import Contents, Count, ImageFolder, Subset, Task
from data_set import prepare
from downloads import Downloads, given, only

from hourglass_plugin.datasets.readers.flic import read_flic

_ARCHIVES = ('flic*.zip', )
_SOURCES = ('examples.mat', 'train*.h5', 'valid*.h5')


def prepare_flic(task: Task,
                 annotations: Optional[str] = None,
                 test_annotations: Optional[str] = None,
                 images: Optional[str] = None,
                 labels: str = 'observer') -> None:
    """Prepare Frames Labeled In Cinema; see :func:`.data_set.prepare`.

    ``annotations/flic_train.json`` and ``flic_test.json`` count pixels from
    1, as FLIC's own files do.

    Args:
        task: what to do; the downloads are ``FLIC.zip``, or its content.
        annotations: ``examples.mat``, or the ``.h5`` file of the people to
            train on; None searches the downloads.
        test_annotations: the ``.h5`` file of the people to test on.
        images: folder of the images; None searches the downloads.
        labels: ``'observer'`` or ``'person'``.
    """

    def read(downloads: Downloads) -> Contents:
        train_file, test_file = _find(downloads, annotations, test_annotations,
                                      labels)
        print(f'reading {train_file.name}')
        if train_file == test_file:
            train = read_flic(train_file, 'train', labels)
            test = read_flic(test_file, 'test', labels)
        else:
            train = read_flic(train_file, labels=labels)
            test = read_flic(test_file, labels=labels)
        return Contents(
            subsets=[
                Subset('flic_train.json', 'train on', train, 1),
                Subset('flic_test.json', 'test on', test, 1)
            ],
            counts=[
                Count('people to train on', len(train), 3987),
                Count('people to test on', len(test), 1016)
            ],
            images=[
                ImageFolder('images', '', images, train_file.parent,
                            '--images')
            ],
            warnings=[])

    options = dict(
        annotations=annotations,
        test_annotations=test_annotations,
        images=images,
        labels=labels)
    prepare(task, options, _SOURCES, _ARCHIVES, read)


def _find(downloads: Downloads, annotations: Optional[str],
          test_annotations: Optional[str], labels: str) -> tuple[Path, Path]:
    """Files of the people to train on and to test on; may be the same."""
    train = given(annotations) or downloads.find_one(['examples.mat'])
    if train is not None and train.suffix.lower() == '.mat':
        return train, train
    ending = '_personcentric.h5' if labels == 'person' else '.h5'
    train = train or only(downloads.files(f'train{ending}'))
    test = given(test_annotations) or only(downloads.files(f'valid{ending}'))
    if train is None or test is None:
        raise FileNotFoundError(
            'FLIC needs examples.mat, which is in FLIC.zip, or '
            f"the two files train{ending} and valid{ending} of the paper's "
            'code, but they are not in the downloads; see --help')
    return train, test
