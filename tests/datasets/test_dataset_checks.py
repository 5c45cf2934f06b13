"""Images, names and classes of datasets are checked before training."""
from types import SimpleNamespace

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset
from mmpose.registry import DATASETS
from pose_files import DOG_METAINFO, write_json
from torch import nn

from hourglass_plugin.datasets.checks import check_dataset


def test_images_are_there_and_as_large_as_annotated(build, tmp_path):
    assert check_dataset(build(), nn.Module(), 'val') == [
        'nose', 'left_ear', 'right_ear']
    (tmp_path / 'a.jpg').unlink()
    for size, options in ((None, {}), ((50, 40), {}),
                          (None, dict(kind='CocoDataset'))):
        for dataset in (build(size=size, **options),
                        ConcatDataset([build(size=size, **options)])):
            with pytest.raises(ValueError, match='a.jpg'):
                check_dataset(dataset, nn.Module(), 'val')
        (tmp_path / 'a.jpg').unlink(missing_ok=True)
    check_dataset(build(size=None, skip_corrupt=True), nn.Module(), 'train')


@pytest.mark.parametrize('key, value', [
    # Other than ours they do not order keypoints by name.
    ('categories.0.keypoints', ['right_ear', 'nose', 'left_ear']),
    ('annotations.0.keypoints', [12, 22, 0] * 3)])
def test_mmposes_datasets_that_would_learn_nothing_right(build, key, value):
    dataset = build({key: value}, kind='CocoDataset')
    with pytest.raises(ValueError, match='a.json'):
        check_dataset(dataset, nn.Module(), 'train')


def test_parts_and_phases_have_the_same_keypoints(build, tmp_path):
    names = ['nose', 'right_ear', 'left_ear']
    part = dict(
        type='CustomKeypointDataset', ann_file=str(tmp_path / 'a.json'),
        metainfo=dict(DOG_METAINFO, skeleton_info={}, keypoint_info={
            index: dict(name=name) for index, name in enumerate(names)}),
        data_prefix=dict(img=str(tmp_path)))
    build()
    converter = dict(type='KeypointConverter', num_keypoints=3,
                     mapping=[(0, 0), (1, 2), (2, 1)])
    for pipeline, is_valid in ([converter], True), ([], False):
        dataset = DATASETS.build(dict(
            type='CombinedDataset', metainfo=DOG_METAINFO,
            datasets=[dict(part, pipeline=pipeline)]))
        if is_valid:
            check_dataset(dataset, nn.Module(), 'train')
            continue
        with pytest.raises(ValueError, match='KeypointConverter'):
            check_dataset(dataset, nn.Module(), 'train')
    with pytest.raises(ValueError, match='val_dataloader'):
        check_dataset(build(), nn.Module(), 'val', names)


class Boxes(BaseDataset):
    """A detector's dataset, as MMDetection's ``CocoDataset``."""

    def load_data_list(self):
        self.cat_ids = [1]
        return []


@pytest.mark.parametrize('classes, outputs, is_valid', [
    (('cat', 'dog'), 2, True), (('dog', ), 1, True),
    (('cat', 'dog'), 80, False), (('dog', 'cat'), 2, False),
    (('cat', 'cow'), 2, False)])
def test_classes_of_detectors(classes, outputs, is_valid, tmp_path):
    """The order matters: labels are counted in that of the file."""
    path = write_json(tmp_path / 'a.json', dict(
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')]))
    dataset = Boxes(str(path), dict(classes=classes), serialize_data=False)
    model = nn.Module()
    model.bbox_head = SimpleNamespace(num_classes=outputs)
    if is_valid:
        check_dataset(dataset, model, 'train')
        return
    with pytest.raises(ValueError, match='classes'):
        check_dataset(dataset, model, 'train')
