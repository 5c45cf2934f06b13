"""Score finding everybody: boxes, and poses from boxes that were found.

Images in COCO's format. Prints the boxes' AP50, the share of people over 96
pixels tall who are found at IoU 0.5 where an image has one false box on
average, the time, and OKS AP of the 12 joints of arms and legs with boxes that
were found and with the annotated ones.

    python docs/examples/score_everybody.py DATA

``--detector CONFIG CHECKPOINT`` takes one of MMDetection's in place of the
package's own search.
"""
import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hourglass_plugin import PosePredictor
from hourglass_plugin.compat.imports import import_mmdet
from hourglass_plugin.inference.person_search import THRESHOLD
from hourglass_plugin.inference.pose_model import load_judge, score_people
from hourglass_plugin.inference.tracking import box_overlap
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.weights import shipped_weights

#: MPII's and COCO's numbers of the same joints, and COCO's constants.
JOINTS = {0: 16, 1: 14, 2: 12, 3: 11, 4: 13, 5: 15, 10: 10, 11: 8, 12: 6,
          13: 5, 14: 7, 15: 9}
SIGMAS = {16: .089, 15: .089, 14: .087, 13: .087, 12: .107, 11: .107,
          10: .062, 9: .062, 8: .072, 7: .072, 6: .079, 5: .079}


def average_precision(truth: COCO, results: list[dict], kind: str,
                      sigmas: np.ndarray | None = None) -> tuple:
    """Return AP and AP50 in percent."""
    scored = COCOeval(truth, truth.loadRes(results), kind)
    if sigmas is not None:
        scored.params.kpt_oks_sigmas = sigmas
    scored.evaluate()
    scored.accumulate()
    scored.summarize()
    return 100 * scored.stats[0], 100 * scored.stats[1]


def limbs_only(file: Path) -> COCO:
    """The annotations with the 12 joints of arms and legs alone."""
    truth = COCO(str(file))
    for each in truth.dataset['annotations']:
        joints = np.reshape(each['keypoints'], (-1, 3))[list(JOINTS.values())]
        each['keypoints'] = joints.ravel().tolist()
        each['num_keypoints'] = int((joints[:, 2] > 0).sum())
    truth.dataset['categories'][0]['keypoints'] = [
        str(joint) for joint in JOINTS.values()]
    truth.createIndex()
    return truth


def found_at_one_false_box(boxes: list, scores: list, truth: list) -> float:
    """Share of people over 96 pixels tall, best threshold."""
    best = 0.0
    tall = sum(int((each[:, 3] - each[:, 1] > 96).sum()) for each in truth)
    for threshold in np.linspace(0.05, 0.9, 86):
        hits = false = 0
        for found, score, people in zip(boxes, scores, truth):
            kept = found[score >= threshold]
            overlaps = box_overlap(kept, people)
            taken: set[int] = set()
            for row in overlaps:
                person = int(row.argmax()) if len(people) else -1
                if person >= 0 and row[person] >= 0.5 and person not in taken:
                    taken.add(person)
                else:
                    false += 1
            hits += sum(people[person, 3] - people[person, 1] > 96
                        for person in taken)
        if false <= len(boxes):
            best = max(best, hits / tall)
    return 100 * best


def finder(predictor: PosePredictor, detector: list[str] | None):
    """Return a function from an image to boxes (N, 4) and scores (N,)."""
    if detector is None:
        judge = load_judge(read_checkpoint(shipped_weights().checkpoint))
        return lambda pixels: score_people(predictor.model, judge, pixels)
    import_mmdet()
    from mmdet.apis import inference_detector, init_detector
    model = init_detector(*detector, device='cpu')

    def find(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = inference_detector(model, pixels).pred_instances
        found = found[found.labels == 0]
        return found.bboxes.numpy(), found.scores.numpy()

    return find


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path)
    parser.add_argument('--detector', nargs=2)
    parser.add_argument('--threshold', type=float, default=THRESHOLD)
    parser.add_argument('--engine', help='as of PosePredictor')
    args = parser.parse_args()
    boxed = COCO(str(args.data / 'person_boxes_val.json'))
    posed = limbs_only(args.data / 'person_keypoints_val.json')
    predictor = PosePredictor(device='cpu', engine=args.engine)
    find = finder(predictor, args.detector)
    detections, poses = [], dict(found=[], annotated=[])
    boxes, scores, truth, seconds = [], [], [], []
    for number, image in boxed.imgs.items():
        pixels = cv2.imread(str(args.data / 'images' / image['file_name']))
        start = time.perf_counter()
        found, score = find(pixels)
        found, score = found[score >= 0.05], score[score >= 0.05]
        height, width = pixels.shape[:2]
        found = found.clip(0, [width, height, width, height])
        seconds.append(time.perf_counter() - start)
        people = np.array(
            [each['bbox'] for each in boxed.imgToAnns[number]], float)
        people = people.reshape(-1, 4)
        truth.append(np.hstack([people[:, :2], people[:, :2] + people[:, 2:]]))
        boxes.append(found)
        scores.append(score)
        for box, value in zip(found, score):
            left, top, right, bottom = box.tolist()
            detections.append(dict(
                image_id=number, category_id=1, score=float(value),
                bbox=[left, top, right - left, bottom - top]))
        annotated = [
            each['bbox'] for each in posed.imgToAnns.get(number, [])]
        given = np.array(annotated, np.float32).reshape(-1, 4)
        given[:, 2:] += given[:, :2]
        kept = score >= args.threshold
        for kind, inside, weights in (
                ('found', found[kept], score[kept]),
                ('annotated', given, np.ones(len(given)))):
            for pose, weight in zip(predictor(pixels, inside), weights):
                joints = np.column_stack(
                    [pose.keypoints, np.full(len(pose.scores), 2)])
                poses[kind].append(dict(
                    image_id=number, category_id=1,
                    keypoints=joints[list(JOINTS)].ravel().tolist(),
                    score=float(weight * pose.scores.mean())))
    ap, ap50 = average_precision(boxed, detections, 'bbox')
    lines = [f'boxes: AP {ap:.1f}, AP50 {ap50:.1f}, people over 96 pixels '
             f'found {found_at_one_false_box(boxes, scores, truth):.1f} %, '
             f'{1000 * np.median(seconds):.0f} ms an image on '
             f'{torch.get_num_threads()} threads']
    for kind, results in poses.items():
        ap, ap50 = average_precision(
            posed, results, 'keypoints', np.array(
                [SIGMAS[joint] for joint in JOINTS.values()]))
        lines.append(f'poses, {kind} boxes: OKS AP {ap:.1f}, AP50 {ap50:.1f}')
    print('\n'.join(lines))


if __name__ == '__main__':
    main()
