"""The person detector against MMDetection's, and decoding by hand."""
import numpy as np
import pytest
import torch

from hourglass_plugin.inference.person_detector import PersonDetector, decode
from hourglass_plugin.resources import config_path


def test_box_is_decoded_from_centre_size_and_offset():
    centers = torch.zeros(1, 1, 5, 8)
    sizes, offsets = torch.zeros(2, 1, 2, 5, 8)
    centers[0, 0, 2, 3] = 0.9
    centers[0, 0, 2, 4] = 0.8  # beside a higher one, no maximum
    centers[0, 0, 4, 7] = 0.5
    sizes[0, :, 2, 3] = torch.tensor([4.0, 2.0])
    offsets[0, :, 2, 3] = torch.tensor([0.25, 0.5])
    boxes, scores = decode(centers, sizes, offsets, 2)
    # x from 3.25 - 2 to 3.25 + 2 cells of 4 pixels, y from 2.5 - 1 to 2.5 + 1.
    assert boxes[0].tolist() == [5, 6, 21, 14]
    # Its size is zero.
    assert boxes[1].tolist() == [28, 16, 28, 16]
    assert scores.tolist() == pytest.approx([0.9, 0.5])


def test_detects_as_mmdetection_does():
    mmdet = pytest.importorskip('mmdet.registry')
    from mmengine.config import Config
    from mmengine.dataset import Compose, pseudo_collate
    from mmengine.registry import init_default_scope

    import hourglass_plugin.detectors  # noqa: F401
    config = Config.fromfile(
        config_path('centernet_hg1-w128_1xb16-12e_coco-person.py'))
    init_default_scope('mmdet')
    config.model.backbone.update(feat_channels=16, init_cfg=None)
    config.model.bbox_head.update(in_channels=16, feat_channels=8)
    torch.manual_seed(0)
    model = mmdet.MODELS.build(config.model).eval()
    for head in model.bbox_head.heads:
        torch.nn.init.normal_(head.heatmap_head[-1].weight)
        torch.nn.init.constant_(head.wh_head[-1].bias, 5)
    # 384 x 256 is neither resized nor padded.
    image = np.random.default_rng(0).integers(0, 256, (256, 384, 3), np.uint8)
    pipeline = [
        each for each in config.test_dataloader.dataset.pipeline
        if each.type not in ('LoadImageFromFile', 'LoadAnnotations')
    ]
    inputs = Compose(pipeline)(
        dict(img=np.float32(image), img_shape=(256, 384),
             ori_shape=(256, 384), img_id=0, img_path=''))
    with torch.no_grad():
        expected = model.test_step(pseudo_collate([inputs]))[0].pred_instances
    boxes, scores = PersonDetector(model.state_dict()).detect(image, 0)
    assert len(scores) == 100
    # float32 sums in another order, in a network of 30 layers.
    np.testing.assert_allclose(scores, expected.scores, atol=1e-5)
    # Ours are cut at the image's border.
    limits = torch.tensor([384.0, 256.0] * 2)
    np.testing.assert_allclose(
        boxes, expected.bboxes.clamp(min=0).minimum(limits), atol=1e-2)


def test_boxes_are_in_pixels_of_the_image():
    """A network that answers with one box, on an image of twice the input."""
    detector = PersonDetector(small_weights())
    detector.forward = lambda images: (  # type: ignore[method-assign]
        torch.zeros(1, 1, 48, 96).index_fill_(2, torch.tensor([24]), 0.5)
        * torch.eye(96)[48], torch.full((1, 2, 48, 96), 8.0),
        torch.zeros(1, 2, 48, 96))
    boxes, scores = detector.detect(np.zeros((300, 768, 3), np.uint8))
    # Cell (48, 24) is pixel (192, 96) of the input, 384 wide: (384, 192) of
    # the image, whose box is 8 cells, 64 of its pixels wide.
    assert boxes.tolist() == [[352, 160, 416, 224]]
    assert scores.tolist() == [0.5]


def small_weights():
    from hourglass_plugin.models.stacked_hourglass import StackedHourglass
    torch.manual_seed(0)
    weights = {
        f'backbone.{name}': value
        for name, value in StackedHourglass(
            num_stacks=1, feat_channels=16).state_dict().items()
    }
    for name, count in dict(heatmap=1, wh=2, offset=2).items():
        head = f'bbox_head.heads.0.{name}_head.'
        weights[f'{head}0.weight'] = torch.randn(8, 16, 3, 3)
        weights[f'{head}0.bias'] = torch.randn(8)
        weights[f'{head}2.weight'] = torch.randn(count, 8, 1, 1)
        weights[f'{head}2.bias'] = torch.randn(count)
    return weights
