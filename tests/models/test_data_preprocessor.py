"""MMPose's numbers, and nothing that waits for the device."""
import pytest
import torch
from mmpose.models import PoseDataPreprocessor
from mmpose.structures import PoseDataSample
from torch.utils._python_dispatch import TorchDispatchMode

from hourglass_plugin.models.data_preprocessor import HourglassDataPreprocessor

OPTIONS = dict(mean=[1, 2, 3], std=[255, 200, 100])


def batch(is_stacked=True):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (2, 3, 8, 12), dtype=torch.uint8, generator=generator)
    return dict(
        inputs=images if is_stacked else list(images),
        data_samples=[PoseDataSample(), PoseDataSample()])


@pytest.mark.parametrize('is_stacked', [True, False])
@pytest.mark.parametrize('order', [{}, dict(bgr_to_rgb=True),
                                   dict(rgb_to_bgr=True)])
def test_mmposes_numbers(is_stacked, order):
    expected = PoseDataPreprocessor(**OPTIONS, **order)(batch(is_stacked))
    given = batch(is_stacked)
    found = HourglassDataPreprocessor(**OPTIONS, **order)(given)
    assert torch.equal(found['inputs'], expected['inputs'])
    assert found['inputs'].dtype == torch.float32
    for sample, other in zip(found['data_samples'], expected['data_samples']):
        assert sample.metainfo == other.metainfo
    assert all(map(torch.equal, given['inputs'], batch()['inputs']))


class Waits(TorchDispatchMode):
    """Counts copies between devices that block."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if (str(function).startswith('aten._to_copy') and 'device' in kwargs
                and not kwargs.get('non_blocking')):
            self.count += torch.device(kwargs['device']) != args[0].device
        return function(*args, **kwargs)


@pytest.mark.parametrize('kind', [
    HourglassDataPreprocessor, PoseDataPreprocessor])
def test_copies_do_not_wait(kind):
    preprocessor = kind(**OPTIONS, bgr_to_rgb=True).to('meta')
    with Waits() as waits:
        found = preprocessor(batch())
    assert found['inputs'].device.type == 'meta'
    assert (waits.count == 0) == (kind is HourglassDataPreprocessor)
