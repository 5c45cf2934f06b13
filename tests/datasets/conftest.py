"""Everything here is built from MMPose's registries."""
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from pose_files import DOG_COCO, DOG_METAINFO, changed, write_json

from hourglass_plugin.visualization import save_image


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


@pytest.fixture
def build(tmp_path):
    """Build a dataset of one dog, its image of this size or not written."""

    def build(changes=(), metainfo=DOG_METAINFO, size=(100, 80),
              kind='CustomKeypointDataset', **options):
        path = write_json(tmp_path / 'a.json', changed(
            DOG_COCO, dict(changes)))
        if size is not None:
            save_image(tmp_path / 'a.jpg',
                       np.zeros((size[1], size[0], 3), np.uint8))
        return DATASETS.build(dict(
            type=kind, metainfo=metainfo, ann_file=str(path),
            data_prefix=dict(img=str(tmp_path)), **options))

    return build
