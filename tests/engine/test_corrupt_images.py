"""Images that cannot be used are named, or left out and counted."""
import re

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS
from pose_files import DOG_METAINFO, write_json
from small_runner import CODEC, KEYPOINTS, SIZE, loader, small_runner

from hourglass_plugin.datasets.samplers import SampleIndex
from hourglass_plugin.transforms.image_io import UnreadableImageError

# One is missing, one damaged, one of another size than its annotation says.
BAD = {2: 'missing.png', 4: 'cut.jpg', 5: 'small.png'}
PEOPLE = 8


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(PEOPLE):
        name = BAD.get(index, f'{index}.png')
        side = 4 if name == 'small.png' else 60
        cv2.imwrite(str(tmp_path / name),
                    rng.integers(0, 255, (side, side, 3), np.uint8))
        images.append(dict(id=index, file_name=name, width=60, height=60))
        annotations.append(dict(
            id=index, image_id=index, category_id=1, bbox=[30, 30, 20, 20],
            keypoints=[35, 40, 2] * KEYPOINTS))
    (tmp_path / 'missing.png').unlink()
    data = (tmp_path / 'cut.jpg').read_bytes()
    (tmp_path / 'cut.jpg').write_bytes(data[:-20])
    write_json(tmp_path / 'a.json', dict(
        images=images, annotations=annotations,
        categories=[dict(id=1, name='dog')]))
    return tmp_path


def config(folder, **options):
    return dict(
        type='CustomKeypointDataset', metainfo=DOG_METAINFO,
        data_root=str(folder), ann_file='a.json', data_prefix=dict(img=''),
        pipeline=[
            dict(type='SeedAugmentation'),
            dict(type='GetBBoxCenterScale', padding=1.25),
            dict(type='RandomScaleRotation', sampling='paper'),
            dict(type='TopdownCrop', input_size=(SIZE, SIZE)),
            dict(type='GenerateTarget', encoder=CODEC),
            dict(type='PackPoseInputs')],
        **options)


@pytest.mark.parametrize('index', BAD)
@pytest.mark.parametrize('mmposes_loading', [False, True])
def test_file_and_sample_are_named(folder, index, mmposes_loading):
    """Also where MMPose's own transform reads the image."""
    settings = config(folder)
    if mmposes_loading and index != 5:
        settings['pipeline'][0] = dict(type='LoadImage')
    dataset = DATASETS.build(settings)
    with pytest.raises(UnreadableImageError) as raised:
        dataset[index]
    assert raised.value.path == str(folder / BAD[index])
    assert f'sample {index} of {folder / "a.json"}' in raised.value.reason
    assert 'skipped_images' not in dataset[3]['data_samples']


def test_others_stand_in_whose_choice_follows_from_the_seed(folder):
    first, second = (
        DATASETS.build(config(folder, skip_corrupt=True)) for _ in range(2))
    chosen = set()
    for epoch in range(12):
        sample = first[SampleIndex(2, (7, epoch, 2))]
        name = sample['data_samples'].img_path
        assert name.rsplit('/', 1)[1] not in BAD.values()
        skipped = sample['data_samples'].skipped_images
        assert skipped[0].endswith('missing.png')
        assert {path.rsplit('/', 1)[1] for path in skipped} <= {*BAD.values()}
        np.random.seed(epoch)  # what else draws numbers does not matter
        again = second[SampleIndex(2, (7, epoch, 2))]
        assert again['data_samples'].img_path == name
        np.testing.assert_array_equal(again['inputs'], sample['inputs'])
        chosen.add(name)
    assert len(chosen) > 2


def test_loader_processes_do_not_matter(folder):
    epochs = []
    for workers in (0, 2):
        batches = Runner.build_dataloader(
            loader(config(folder, skip_corrupt=True), 'SeededSampler',
                   shuffle=True, num_workers=workers), seed=5)
        batches.sampler.set_epoch(1)
        epochs.append([
            (sample.img_path, sample.get('skipped_images'),
             image.float().mean().item()) for batch in batches
            for image, sample in zip(batch['inputs'], batch['data_samples'])])
    assert sum(bool(skipped) for _, skipped, _ in epochs[0]) == len(BAD)
    assert epochs[1] == epochs[0]


def test_what_is_not_skipped(folder, monkeypatch):
    with pytest.raises(ValueError):  # an evaluation
        DATASETS.build(config(folder, skip_corrupt=True, test_mode=True))
    dataset = DATASETS.build(config(folder, skip_corrupt=True))
    with monkeypatch.context() as patch:
        patch.setattr(dataset, 'pipeline', lambda record: {}['a bug'])
        with pytest.raises(KeyError):
            dataset[0]
    for image in (*folder.glob('*.png'), *folder.glob('*.jpg')):
        image.unlink()
    with pytest.raises(UnreadableImageError):  # all images are missing
        dataset[0]


def test_each_epoch_counts_them(folder, caplog):
    """Each epoch meets the three once; stand-ins may be unusable, too."""
    runner = small_runner(
        folder / 'whole', 'skip', 2, train_dataloader=loader(
            config(folder, skip_corrupt=True), 'SeededSampler', shuffle=True,
            num_workers=1),
        custom_hooks=[dict(type='CorruptImagesHook')])
    MMLogger.get_current_instance().addHandler(caplog.handler)
    runner.train()
    first, second = (
        line for line in caplog.messages if 'were replaced' in line)
    for epoch, line in ((1, first), (2, second)):
        start, count, *_ = re.split(': | samples', line)
        assert start == f'epoch {epoch}' and int(count) >= 3
        assert 'of 3 unreadable' in line
        assert all(name in line for name in BAD.values())
