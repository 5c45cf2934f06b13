"""The bottom-up config: everybody in a picture, by MMPose's parts."""
import json

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import KEYPOINT_CODECS, MODELS

from hourglass_plugin import config_path

CONFIG = 'associative_embedding/hg2_8xb24-300e_coco-512x512.py'
SIDE = 96
# COCO's 17 joints of a person 60 pixels high, around (0, 0).
STANDING = np.array([[0, -28], [2, -30], [-2, -30], [4, -28], [-4, -28],
                     [8, -20], [-8, -20], [12, -10], [-12, -10], [14, 0],
                     [-14, 0], [6, 2], [-6, 2], [7, 16], [-7, 16], [8, 30],
                     [-8, 30]])  # yapf: disable
COLOURS = cv2.applyColorMap(
    np.linspace(0, 255, 17).astype(np.uint8)[None], cv2.COLORMAP_HSV)[0]


def write_people(folder, count=2):
    """Write COCO's files: two people of coloured joints in each picture.

    One stands in the dark and one in the light, so that they can be told
    apart in the mirrored picture, too.

    Returns:
        (count, 2, 17, 2) float pixels.
    """
    rng = np.random.RandomState(0)
    images, annotations, people = [], [], []
    for index in range(count):
        image = np.full((SIDE, SIDE, 3), 50, np.uint8)
        places = np.array([[24, 48], [72, 48]]) + rng.randint(-6, 7, (2, 2))
        joints = STANDING + places[:, None]
        people.append(joints)
        for person, light in zip(joints, (20, 90)):
            cv2.rectangle(image, (person.min(0) - 4).tolist(),
                          (person.max(0) + 4).tolist(), [light] * 3, -1)
            for joint, colour in zip(person.tolist(), COLOURS.tolist()):
                cv2.circle(image, joint, 2, colour, -1)
            low, high = person.min(0), person.max(0)
            width, height = (high - low).tolist()
            annotations.append(
                dict(
                    id=len(annotations),
                    image_id=index,
                    category_id=1,
                    iscrowd=0,
                    bbox=[*low.tolist(), width, height],
                    area=width * height,
                    num_keypoints=17,
                    keypoints=np.c_[person, np.full(17, 2)].ravel().tolist()))
        cv2.imwrite(str(folder / f'{index}.png'), image)
        images.append(
            dict(id=index, file_name=f'{index}.png', width=SIDE, height=SIDE))
    (folder / 'people.json').write_text(
        json.dumps(
            dict(
                images=images,
                annotations=annotations,
                categories=[dict(id=1, name='person')])))
    return np.array(people, float)


def small_config(folder):
    """The config at 96x96 and narrow; only mirroring is left to chance."""
    config = Config.fromfile(config_path(CONFIG))
    config.model.backbone.update(feat_channels=48, depth=1)
    config.model.head.in_channels = 48
    config.model.head.decoder.update(
        input_size=(SIDE, SIDE), heatmap_size=(SIDE, SIDE))
    # Of a size that an optimiser without warm-up takes.
    config.model.head.keypoint_loss.loss_weight = 1000.
    config.model.head.tag_loss.loss_weight = 10.
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        loader.dataset.update(
            data_root=str(folder),
            ann_file='people.json',
            data_prefix=dict(img=''))
    _, affine, _, target, *_ = config.train_dataloader.dataset.pipeline
    affine.update(
        input_size=(SIDE, SIDE),
        shift_prob=0,
        scale_prob=0,
        rotate_prob=0,
        shear_prob=0)
    target.encoder.update(
        input_size=(SIDE, SIDE), heatmap_size=(SIDE // 4, ) * 2, sigma=1)
    config.val_dataloader.dataset.pipeline[1].input_size = (SIDE, SIDE)
    config.val_dataloader.dataset.pipeline[1].size_factor = 8
    return config


def test_network_fits_codec_and_head():
    config = Config.fromfile(config_path(CONFIG))
    init_default_scope('mmpose')
    with torch.device('meta'):
        network = MODELS.build(config.model.backbone)
        width, height = config.codec.input_size
        [features] = network(torch.empty(1, 3, height, width))
    assert features.shape[1] == config.model.head.in_channels
    assert tuple(features.shape[:1:-1]) == config.codec.heatmap_size


def test_keypoints_come_back_from_their_cells():
    config = Config.fromfile(config_path(CONFIG))
    init_default_scope('mmpose')
    encoder = KEYPOINT_CODECS.build(
        config.train_dataloader.dataset.pipeline[3].encoder)
    decoder = KEYPOINT_CODECS.build(config.model.head.decoder)
    rng = np.random.RandomState(0)
    keypoints = rng.uniform(10, 500, (1, 17, 2))
    encoded = encoder.encode(keypoints, np.ones((1, 17)))
    # As the head resizes them when it predicts; everybody's tag is 0.
    heatmaps = F.interpolate(
        torch.tensor(encoded['heatmaps'])[None],
        size=(512, 512),
        mode='bilinear',
        align_corners=False)
    [[found]], _, _ = decoder.batch_decode(heatmaps,
                                           torch.zeros_like(heatmaps))
    error = found - keypoints[0]
    # Half a cell of 4 pixels, and 0.5 + 0.25 for the maximum between two
    # pixels and its refinement by a quarter.
    assert np.abs(error).max() <= 2.75
    # Errors are uniform in 4 pixels: a deviation of 4 / sqrt(12) = 1.15, of
    # the mean of 34 0.2. MMPose's own targets would make it 1.5 or more.
    assert np.abs(error.mean()) < 0.6
    # The places that the tags' loss reads are the maxima of the heatmaps.
    places = encoded['keypoint_indices'][0, :, 0]
    assert (encoded['heatmaps'].reshape(17, -1).argmax(1) == places).all()


def test_keypoints_that_are_not_annotated_count_nothing():
    config = Config.fromfile(config_path(CONFIG))
    init_default_scope('mmpose')
    encoder = KEYPOINT_CODECS.build(
        config.train_dataloader.dataset.pipeline[3].encoder)
    visible = np.ones((1, 17))
    visible[0, 4] = 0
    encoded = encoder.encode(np.full((1, 17, 2), 100.0), visible)
    assert encoded['keypoint_weights'].tolist() == visible.tolist()


def test_mirrored_people_have_mirrored_targets():
    config = Config.fromfile(config_path(CONFIG))
    init_default_scope('mmpose')
    encoder = KEYPOINT_CODECS.build(
        config.train_dataloader.dataset.pipeline[3].encoder)
    keypoints = np.random.RandomState(1).uniform(10, 500, (2, 17, 2))
    mirrored = np.array([511, 0]) + [-1, 1] * keypoints
    visible = np.ones((2, 17))
    np.testing.assert_array_equal(
        encoder.encode(mirrored, visible)['heatmaps'],
        encoder.encode(keypoints, visible)['heatmaps'][..., ::-1])


def test_overfitted_people_are_found_again(tmp_path):
    people = write_people(tmp_path)
    config = small_config(tmp_path)
    init_default_scope('mmpose')
    torch.manual_seed(0)
    np.random.seed(0)
    model = MODELS.build(config.model)
    torch.nn.init.normal_(model.head.final_layer.weight, std=0.02)
    steps = 100
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, steps)
    loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    history = []
    for _ in range(steps):
        [batch] = loader
        losses = model(
            **model.data_preprocessor(batch, training=True), mode='loss')
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        schedule.step()
        history.append({name: loss.item() for name, loss in losses.items()})
    first, last = history[0], history[-1]
    # Without any peak it would be 1000 times the mean of the squared targets:
    # two people's Gaussians of sigma 1, pi each, in 24 * 24 cells, 10.9.
    assert last['loss_kpt'] < 3 < first['loss_kpt']
    assert last['loss_pull'] < first['loss_pull']
    # Each of 2 pictures adds 10 / 2 * (2 + 2 exp(-d^2)) / 2, where d is how
    # far the tags of its people are apart: 20 at first, and 10 when they are.
    assert 19 < first['loss_push'] < 20
    assert last['loss_push'] < 10.5

    model.eval()
    [batch] = Runner.build_dataloader(config.val_dataloader, seed=0)
    samples = model.test_step(batch)
    assert len(samples) == len(people)
    for sample in samples:
        found = sample.pred_instances
        best = np.argsort(-found.keypoint_scores.mean(1))[:2]
        distances = np.linalg.norm(
            found.keypoints[best][:, None] - people[sample.img_id], axis=-1)
        # For one order of the two people no joint is further away than the
        # diagonal of what the round trip above may lose.
        furthest = distances.max(-1)  # (found, annotated)
        assert min(furthest.diagonal().max(),
                   furthest[::-1].diagonal().max()) < 2.75 * 2**0.5
