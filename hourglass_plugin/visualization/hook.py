"""Pictures of what a model predicts, written while it is evaluated."""
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import cv2
import mmcv
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample

from ..skeletons import Skeleton
from .drawing import draw_pose, skeleton_from_metainfo
from .image_files import save_image
from .sheet import contact_sheet, crop_region


@HOOKS.register_module()
class PosePictureHook(Hook):
    """Draws predictions beside the ground truth, person by person.

    Takes the place of MMPose's ``PoseVisualizationHook`` and has its
    arguments. Unlike that one it draws lines that suit the size of the
    person, cuts the person out of large photographs, writes exactly into
    ``out_dir``, and adds one sheet of people spread over the whole data set.

    Files: ``<image>_<id>.jpg`` per person and ``sheet.jpg``; in validation
    in a folder of their own, ``epoch_<n>`` or ``iter_<n>``.

    Args:
        enable: False does nothing, whatever the rest says.
        interval: every how many people a picture is made.
        kpt_thr: joints with lower scores are not drawn. Default 0: all of
            them are, as all of them count in the evaluation.
        show: show each picture in a window.
        wait_time: seconds for which a window stays; 0 waits for a key.
        out_dir: folder to write to.
        sheet_size: people on the sheet; 0 writes none.
        picture_height: height of a person's picture in pixels.

    Raises:
        ValueError: if a number is out of range, or windows are asked of an
            OpenCV that has none.
    """

    sheet_cell_height = 224
    sheet_columns = 4

    def __init__(self,
                 enable: bool = False,
                 interval: int = 1,
                 kpt_thr: float = 0.0,
                 show: bool = False,
                 wait_time: float = 0.0,
                 out_dir: Optional[str] = None,
                 sheet_size: int = 24,
                 picture_height: int = 512) -> None:
        if interval < 1 or sheet_size < 0 or picture_height < 1:
            raise ValueError(
                'interval and picture_height must be 1 or more and '
                f'sheet_size 0 or more, but they are {interval}, '
                f'{picture_height} and {sheet_size}')
        if enable and show:
            _check_windows()
        self.enable = enable and (show or out_dir is not None)
        self.interval = interval
        self.kpt_thr = kpt_thr
        self.show = show
        self.wait_time = wait_time
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.sheet_size = sheet_size
        self.picture_height = picture_height
        self._start(num_people=0)

    def before_test_epoch(self, runner: Runner) -> None:
        """Choose the people of the sheet."""
        self._start(len(runner.test_dataloader.sampler))

    def before_val_epoch(self, runner: Runner) -> None:
        """Choose the people of the sheet."""
        self._start(len(runner.val_dataloader.sampler))

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Sequence[PoseDataSample] = ()) -> None:
        """Draw the people of a batch."""
        self._draw_batch(outputs, runner.test_evaluator.dataset_meta,
                         self.out_dir)

    def after_val_iter(self,
                       runner: Runner,
                       batch_idx: int,
                       data_batch: Optional[dict] = None,
                       outputs: Sequence[PoseDataSample] = ()) -> None:
        """Draw the people of a batch."""
        self._draw_batch(outputs, runner.val_evaluator.dataset_meta,
                         self._validation_dir(runner))

    def after_test_epoch(self,
                         runner: Runner,
                         metrics: Optional[dict] = None) -> None:
        """Write the sheet."""
        self._write_sheet(runner, self.out_dir)

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: Optional[dict] = None) -> None:
        """Write the sheet."""
        self._write_sheet(runner, self._validation_dir(runner))

    def _validation_dir(self, runner: Runner) -> Optional[Path]:
        if self.out_dir is None:
            return None
        # mmengine validates after it has counted up.
        if runner.log_processor.by_epoch:
            return self.out_dir / f'epoch_{runner.epoch:03d}'
        return self.out_dir / f'iter_{runner.iter:06d}'

    def _start(self, num_people: int) -> None:
        self._count = 0
        self._cells: list[np.ndarray] = []
        self._captions: list[str] = []
        chosen = np.linspace(0, num_people - 1,
                             min(self.sheet_size, num_people))
        self._on_sheet: set[int] = set(np.rint(chosen).astype(int).tolist())

    def _draw_batch(self, samples: Sequence[PoseDataSample],
                    dataset_meta: dict, out_dir: Optional[Path]) -> None:
        if not self.enable:
            return
        skeleton = skeleton_from_metainfo(dataset_meta)
        for sample in samples:
            has_picture = self._count % self.interval == 0
            on_sheet = out_dir is not None and self._count in self._on_sheet
            self._count += 1
            if not (has_picture or on_sheet):
                continue
            photograph = mmcv.imread(sample.img_path)
            name = f'{Path(sample.img_path).stem}_{sample.id}'
            if has_picture:
                picture = self._draw_pair(photograph, sample, skeleton,
                                          self.picture_height)
                if out_dir is not None:
                    save_image(out_dir / f'{name}.jpg', picture)
                if self.show:
                    cv2.imshow('prediction, ground truth', picture)
                    cv2.waitKey(round(1000 * self.wait_time))
            if on_sheet:
                self._cells.append(
                    self._draw_pair(photograph, sample, skeleton,
                                    self.sheet_cell_height))
                self._captions.append(name)

    def _draw_pair(self, photograph: np.ndarray, sample: PoseDataSample,
                   skeleton: Skeleton, height: int) -> np.ndarray:
        """The prediction and, right of it, the ground truth if there is one.

        The picture shows what the network was shown.
        """
        picture, matrix = crop_region(photograph, sample.input_center,
                                      sample.input_scale, height)
        predicted = sample.pred_instances
        pair = [(predicted.keypoints, predicted.keypoint_scores, self.kpt_thr)]
        truth = sample.get('gt_instances')
        if truth is not None and 'keypoints' in truth:
            visible = np.asarray(truth.keypoints_visible)
            if visible.ndim == 3:  # KeypointConverter puts weights beside it
                visible = visible[..., 0]
            pair.append((truth.keypoints, visible, 0.5))
        drawn = [
            draw_pose(picture, _transform(keypoints, matrix), scores, skeleton,
                      threshold) for keypoints, scores, threshold in pair
        ]
        gap = np.full((height, 2, 3), 255, np.uint8)
        return np.hstack([drawn[0]] + [x for y in drawn[1:] for x in (gap, y)])

    def _write_sheet(self, runner: Runner, out_dir: Optional[Path]) -> None:
        # With several processes the first one's share of the people will do.
        if not self._cells or out_dir is None or runner.rank != 0:
            return
        sheet = contact_sheet(
            self._cells, self.sheet_columns, self._captions,
            'Left: prediction. Right: ground truth. Orange: the right side of '
            'the person, blue: the left side.')
        path = out_dir / 'sheet.jpg'
        save_image(path, sheet)
        self._cells = []
        runner.logger.info(f'Sheet of {len(self._captions)} people: {path}')


def _transform(keypoints: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a (2, 3) matrix to (..., 2) points."""
    keypoints = np.asarray(keypoints)[..., :2]
    return keypoints @ matrix[:, :2].T + matrix[:, 2]


def _check_windows() -> None:
    """Raise ValueError if this OpenCV cannot open a window."""
    try:
        cv2.namedWindow('prediction, ground truth')
    except cv2.error as error:
        raise ValueError(
            'pictures cannot be shown: this OpenCV has no windows, or there '
            'is no screen; write them to a folder (--show-dir)') from error
