"""MPII: 22,246 people to train on, the 2,958 of Tompson's to validate on."""
from pathlib import Path
from typing import NamedTuple, Optional

from contents import Contents, Count, ImageFolder, Subset, Task
from data_set import prepare
from downloads import Downloads, given, only

from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.mpii_ground_truth import add_head_sizes
from hourglass_plugin.datasets.readers.person import CENTER_DROP, Person
from hourglass_plugin.datasets.readers.pose_json import is_cpm, load_json

_OFFICIAL = ('mpii_human_pose_v1_u12*.mat', )
_HEAD_BOXES = ('mpii_gt_val.mat', 'gt_valid.mat')
#: Both subsets in one file, as Convolutional Pose Machines have it.
_BOTH = ('mpii_annotations.json', 'mpii_annotations.json.gz')
#: A file per subset: those of the paper's code, of HRNet and of MMPose.
_APART = (
    ('train.h5', 'valid.h5', 'test.h5'),
    ('train.json', 'valid.json', 'test.json'),
    ('mpii_train.json', 'mpii_val.json', 'mpii_test.json'),
)
#: Files that tell who the validation people are, those first that know their
#: places in the official file.
_VALIDATION = ('valid.h5', *_BOTH, 'valid.json', 'mpii_val.json', *_HEAD_BOXES)
_SOURCES = (*_OFFICIAL, *_HEAD_BOXES, *_BOTH, *sum(_APART, ()))

_ANNOTATION_ARCHIVES = ('mpii_human_pose_v1_u12*', 'mpii_annotations*')
_ARCHIVES = (*_ANNOTATION_ARCHIVES, 'mpii_human_pose_v1.*')


class _Files(NamedTuple):
    """Which annotation files are used.

    Attributes:
        train: holds the people to train on, and perhaps others.
        validation: holds the validation people; None if ``train`` marks them.
            Beside the official file it tells who they are.
        test: holds the test people; None if there is no such file.
        head_boxes: the validation people's head boxes; None if unknown.
    """

    train: Path
    validation: Optional[Path]
    test: Optional[Path]
    head_boxes: Optional[Path]


def prepare_mpii(task: Task,
                 annotations: Optional[str] = None,
                 validation: Optional[str] = None,
                 head_boxes: Optional[str] = None,
                 images: Optional[str] = None,
                 test: bool = True) -> None:
    """Prepare MPII Human Pose; see :func:`.data_set.prepare`.

    ``annotations/mpii_train.json``, ``mpii_val.json`` and, if the downloads
    have test people, ``mpii_test.json`` count pixels from 1 and have the
    annotated centres, like the files of HRNet and MMPose.

    Args:
        task: what to do; the downloads are ``mpii_human_pose_v1.tar.gz`` and
            annotations.
        annotations: the official file, the JSON file of Convolutional Pose
            Machines, or any file of the people to train on; None searches the
            downloads.
        validation: any file of the validation people.
        head_boxes: ``mpii_gt_val.mat``, for annotations without head boxes.
        images: folder of the images.
        test: whether test people are wanted, too.
    """

    def read(downloads: Downloads) -> Contents:
        files = _find(downloads, annotations, validation, head_boxes)
        people = _read(files if test else files._replace(test=None))
        warnings = []
        bare = sum(person.head_size is None for person in people['val'])
        if bare:
            if files.head_boxes is not None:
                people['val'] = add_head_sizes(people['val'], files.head_boxes,
                                               files.validation or files.train)
            else:
                warnings.append(
                    f'no file tells the head sizes of {bare} validation '
                    'people, so PCKh cannot be computed: add mpii_gt_val.mat '
                    'to the downloads and run this again')
        purposes = dict(train='train on', val='validate on', test='test on')
        return Contents(
            subsets=[
                Subset(f'mpii_{name}.json', purposes[name],
                       some, 1, CENTER_DROP)
                for name, some in people.items()
            ],
            counts=[
                Count('people to train on', len(people['train']), 22246),
                Count('people to validate on', len(people['val']), 2958)
            ],
            images=[
                ImageFolder('images', '', images, files.train.parent,
                            '--images')
            ],
            warnings=warnings)

    options = dict(
        annotations=annotations,
        validation=validation,
        head_boxes=head_boxes,
        images=images,
        test=test)
    prepare(task, options, _SOURCES, _ARCHIVES, read)


def _find(downloads: Downloads, annotations: Optional[str],
          validation: Optional[str], head_boxes: Optional[str]) -> _Files:
    """Find the annotation files; the official one is preferred."""
    train = given(annotations) or downloads.find_one(
        _OFFICIAL, _ANNOTATION_ARCHIVES) or only(downloads.files(*_BOTH))
    known = given(validation)
    boxes = given(head_boxes) or only(downloads.files(*_HEAD_BOXES))
    if train is not None and _marks_validation(train):
        return _Files(train, None, None, boxes)
    if train is not None and train.suffix.lower() == '.mat':
        for name in _VALIDATION:
            known = known or only(downloads.files(name))
        known = known or downloads.find_one(_HEAD_BOXES,
                                            _ANNOTATION_ARCHIVES)
        if known is None:
            raise FileNotFoundError(
                f'{train} does not tell who belongs to the validation set: '
                'add mpii_gt_val.mat, valid.h5 or valid.json to the downloads '
                'or name it with --validation; see --help')
        return _Files(train, known, train, boxes)
    for names in _APART:
        first, second, third = (only(downloads.files(name)) for name in names)
        first, second = train or first, known or second
        if first is not None and second is not None:
            return _Files(first, second, third, boxes)
    raise FileNotFoundError(
        'MPII needs mpii_human_pose_v1_u12_1.mat, which is in '
        'mpii_human_pose_v1_u12_2.zip, or the annotations of HRNet, MMPose or '
        "the paper's code, but they are not in the downloads; see --help")


def _marks_validation(path: Path) -> bool:
    """Whether a file is that of Convolutional Pose Machines."""
    return path.name.lower().endswith(
        ('.json', '.json.gz')) and is_cpm(load_json(path))


def _read(files: _Files) -> dict[str, list[Person]]:
    """People by subset."""
    if files.train.suffix.lower() == '.mat':
        print(f'reading {files.train.name}, half a minute for each subset')
        people = {
            subset: read_mpii(files.train, subset, files.validation)
            for subset in ('train', 'val')
        }
        if files.test is not None:
            people['test'] = read_mpii(files.train, 'test')
        return people
    print(f'reading {files.train.name}')
    if files.validation is None:
        return {
            subset: read_mpii(files.train, subset)
            for subset in ('train', 'val')
        }
    people = dict(
        train=read_mpii(files.train), val=read_mpii(files.validation))
    if files.test is not None:
        people['test'] = read_mpii(files.test)
    return people
