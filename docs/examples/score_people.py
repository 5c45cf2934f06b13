"""Score a network on people of MPII, COCO and Leeds Sports Pose Extended.

The 12 joints of arms and legs, which all three annotate, from the annotated
boxes, without the flip test unless asked for:

- MPII: PCKh@0.5 and @0.1 (`headbox_file` has the head sizes);
- COCO: the share within 0.1 and 0.05 of the box's larger side, of people with
  8 keypoints or more and a box over 96 pixels;
- Leeds: PCK@0.2 and @0.1 of the torso.

    python docs/examples/score_people.py CONFIG CHECKPOINT [--flip-test]

``--fast int8`` runs the backbone in OpenVINO; its ranges are measured on 33
training people.
"""
import argparse
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import init_default_scope

import hourglass_plugin  # noqa: F401  (registers)
from hourglass_plugin.inference.engines import PRECISIONS, accelerate
from hourglass_plugin.inference.pose_model import build_pose_model
from hourglass_plugin.models.weights.loading import read_checkpoint

#: Joints of arms and legs: ankles, knees, hips, wrists, elbows, shoulders,
#: right before left, by dataset.
LIMBS = dict(
    mpii=[0, 5, 1, 4, 2, 3, 10, 15, 11, 14, 12, 13],
    lsp=[0, 5, 1, 4, 2, 3, 6, 11, 7, 10, 8, 9],
    coco=[16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5])


def mpii_size(person: dict) -> float:
    return float(person['head_size'].item())


def coco_size(person: dict) -> float:
    left, top, right, bottom = person['bbox'][0]
    side = max(right - left, bottom - top)
    enough = (person['keypoints_visible'] > 0).sum() >= 8
    return side if enough and side > 96 else np.nan


def lsp_size(person: dict) -> float:
    shoulder, hip = person['keypoints'][0, [8, 3]]
    both = person['keypoints_visible'][0, [8, 3]].all()
    return float(np.linalg.norm(shoulder - hip)) if both else np.nan


def score(model: torch.nn.Module, dataset: BaseDataset, limbs: list[int],
          predicted_limbs: list[int], size: Callable[[dict], float],
          thresholds: tuple[float, ...]) -> list[str]:
    """Return people, and shares of joints within the thresholds.

    For COCO, where v tells, also of visible and occluded joints, and by the
    box's side and the number of people in the image.
    """
    distances, people, groups = [], [], {}
    crowd = Counter(dataset.get_data_info(index)['img_path']
                    for index in range(len(dataset)))
    for start in range(0, len(dataset), 32):
        indices = range(start, min(start + 32, len(dataset)))
        with torch.no_grad():
            samples = model.test_step(
                pseudo_collate([dataset[index] for index in indices]))
        for index, sample in zip(indices, samples):
            person = dataset.get_data_info(index)
            unit = size(person)
            if not unit > 0:
                continue
            found = np.asarray(sample.pred_instances.keypoints[0])
            error = np.linalg.norm(
                found[predicted_limbs] - person['keypoints'][0, limbs], axis=1)
            annotated = person['keypoints_visible'][0, limbs] > 0
            relative = error / unit
            distances.extend(relative[annotated])
            people.append([(relative[annotated] <= each).mean()
                           for each in thresholds])
            if 'num_keypoints' not in person.get('raw_ann_info', {}):
                continue
            v = np.reshape(person['raw_ann_info']['keypoints'], (-1, 3))
            several = crowd[person['img_path']]
            for name, inside in (
                ('visible', v[limbs, 2] == 2), ('occluded', v[limbs, 2] == 1),
                (f'box {"up to" if unit <= 200 else "over"} 200 pixels',
                 annotated),
                ('1 person in the image' if several == 1 else
                 '2 to 4 people' if several < 5 else '5 or more', annotated)):
                groups.setdefault(name, []).extend(relative[inside])

    def percent(values: list[float]) -> str:
        within = np.array(values)[:, None] <= thresholds
        return ' / '.join(f'{100 * each:.1f}' for each in within.mean(0))

    # Joints of one person are not independent: the error is of the people.
    errors = 100 * np.std(people, axis=0) / len(people)**0.5
    return [f'{len(people)} people: {percent(distances)} (standard errors '
            f'{" / ".join(f"{each:.1f}" for each in errors)})'] + [
                f'  {name}: {percent(values)}, {len(values)} joints'
                for name, values in sorted(groups.items())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--data', default='data')
    parser.add_argument('--flip-test', action='store_true')
    parser.add_argument('--fast', choices=PRECISIONS)
    args = parser.parse_args()
    config = Config.fromfile(args.config)
    config.model.test_cfg = dict(flip_test=args.flip_test)
    init_default_scope('mmpose')
    from mmpose.registry import DATASETS
    model = build_pose_model(config, read_checkpoint(args.checkpoint),
                             args.checkpoint, 'cpu')
    joints = len(model.dataset_meta['keypoint_id2name'])
    predicted = LIMBS['mpii' if joints == 16 else 'lsp']
    common = dict(
        data_prefix=dict(img='images/'), test_mode=True,
        pipeline=config.test_dataloader.dataset.pipeline)
    sets = (
        ('MPII', dict(
            type='HourglassMPIIDataset', ann_file='mpii_val.json',
            data_root=f'{args.data}/mpii_photos/',
            headbox_file='../mpii_annotations/mpii_gt_val.mat'),
         LIMBS['mpii'], mpii_size, (0.5, 0.1)),
        ('COCO', dict(
            type='CocoDataset', ann_file='person_keypoints_val.json',
            data_root=f'{args.data}/coco_people/', data_mode='topdown'),
         LIMBS['coco'], coco_size, (0.1, 0.05)),
        ('Leeds', dict(
            type='HourglassLSPDataset', ann_file='lspet_val.json',
            data_root=f'{args.data}/lspet/'),
         LIMBS['lsp'], lsp_size, (0.2, 0.1)),
    )
    if args.fast is not None:
        crops: list[torch.Tensor] = []
        for _, options, *_ in sets:
            training = dict(options, ann_file=options[
                'ann_file'].replace('val', 'train'))
            training.pop('headbox_file', None)
            dataset = DATASETS.build(dict(training, **common))
            chosen = range(0, len(dataset), len(dataset) // 11)[:11]
            batch = pseudo_collate([dataset[index] for index in chosen])
            crops.extend(model.data_preprocessor(batch)['inputs'])
        model.backbone = accelerate(model.backbone, args.fast,
                                    calibration=crops[::-1])
    for name, options, limbs, size, thresholds in sets:
        dataset = DATASETS.build(dict(options, **common))
        print(name, *score(model, dataset, limbs, predicted, size,
                           thresholds), sep='\n')


if __name__ == '__main__':
    main()
