"""The package's own config learns from three datasets at once."""
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from pose_configs import make_small, trained_scalars
from pose_files import entry, write_coco, write_json, write_noise

from hourglass_plugin.resources import config_path
from hourglass_plugin.skeletons import LSP, MPII


def write_sets(folder):
    """Two people in each of MPII's, COCO's and Leeds' files."""
    for skeleton, name in ((MPII, 'mpii_train'), (LSP, 'lspet_train')):
        people = [entry(skeleton, seed, head_size=30.0) for seed in range(2)]
        write_json(folder / f'{name}.json', people)
    names = [person['image'] for person in people]
    write_noise(folder / 'images', names, (240, 220))
    keypoints = np.column_stack([
        np.random.default_rng(0).uniform(20, 200, (17, 2)), np.full(17, 2)])
    write_coco(folder / 'person_keypoints_train.json', [
        dict(file_name=name, bbox=[10, 10, 200, 200], area=4e4,
             keypoints=keypoints.ravel().tolist()) for name in names],
        (240, 220))


def test_config_trains_and_evaluates(tmp_path):
    config = Config.fromfile(
        config_path('td-hm_hg2-w128_1xb16-6e_people-192x192.py'))
    write_sets(tmp_path)
    init_default_scope('mmpose')
    combined, *evaluated = make_small(config, tmp_path, batch_size=4)
    for dataset in evaluated:
        dataset.ann_file = 'mpii_train.json'
    del combined.data_root
    mpii, coco, lspet = combined.datasets
    for dataset in (mpii.dataset, coco.dataset, lspet):
        dataset.data_root = str(tmp_path)
    runner, scalars = trained_scalars(config)
    dataset = runner.train_dataloader.dataset
    # MPII's people count twice, COCO's three times.
    assert len(dataset) == 2 * 2 + 2 * 3 + 2
    weights = [
        dataset[index]['data_samples'].gt_instance_labels.keypoint_weights
        for index in range(len(dataset))]
    # COCO has no pelvis, thorax, neck and head; Leeds no pelvis and thorax.
    assert not np.array(weights[4])[0, [6, 7, 8, 9]].any()
    assert not np.array(weights[10])[0, [6, 7]].any()
    assert np.isfinite(scalars['train/loss'])
    assert 'val/mpii/PCKh@0.5' in scalars
