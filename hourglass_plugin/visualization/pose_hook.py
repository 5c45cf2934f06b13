"""Images of predicted poses, written during validation and testing."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample

from .drawing import skeleton_from_metainfo
from .image_files import save_image
from .sheet import contact_sheet, draw_cropped_poses, side_by_side

_WINDOW = 'prediction, ground truth'
_SHEET_COLUMNS = 4
_SHEET_CELL_HEIGHT = 224
_SHEET_TITLE = ('Left: prediction. Right: ground truth. Orange: the right '
                'side of the person, blue: the left side.')


@HOOKS.register_module()
class HourglassVisualizationHook(Hook):
    """Draws predictions beside the ground truth, person by person.

    Replaces MMPose's ``PoseVisualizationHook`` and has its arguments; one
    sheet shows people from the whole dataset.

    Files: ``<image>_<id>.jpg`` for each person and ``sheet.jpg``; in
    validation in a folder ``epoch_<n>`` or ``iter_<n>``.

    Args:
        enable: False disables the hook.
        interval: draw every n-th person.
        kpt_thr: joints with lower scores are not drawn. Default 0: all of
            them are, as all of them count in the evaluation.
        show: show each image in a window.
        wait_time: seconds for which a window stays; 0 waits for a key.
        out_dir: folder to write to.
        sheet_size: number of people on the sheet; 0 writes none.
        picture_height: height of a person's image in pixels.

    Raises:
        ValueError: if a number is out of range, or ``show`` is set and OpenCV
            cannot open windows.
    """

    def __init__(self,
                 enable: bool = False,
                 interval: int = 1,
                 *,
                 kpt_thr: float = 0.0,
                 show: bool = False,
                 wait_time: float = 0.0,
                 out_dir: str | None = None,
                 sheet_size: int = 24,
                 picture_height: int = 512) -> None:
        if interval < 1 or sheet_size < 0 or picture_height < 1:
            raise ValueError(
                f'interval={interval}, picture_height={picture_height} or '
                f'sheet_size={sheet_size} is out of range')
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

    def _before_epoch(self, runner: Runner, mode: str = 'train') -> None:
        """Choose the people of the sheet."""
        if mode == 'train':
            return
        total = len(getattr(runner, f'{mode}_dataloader').sampler)
        chosen = np.linspace(0, total - 1, min(self.sheet_size, total))
        self._on_sheet: set[int] = set(np.rint(chosen).astype(int).tolist())
        self._count = 0
        self._cells: list[np.ndarray] = []
        self._captions: list[str] = []

    def _after_iter(self,
                    runner: Runner,
                    batch_idx: int,
                    data_batch: Any = None,
                    outputs: Any = None,
                    mode: str = 'train') -> None:
        """Draw the people of a batch."""
        if mode != 'train' and self.enable:
            evaluator = getattr(runner, f'{mode}_evaluator')
            self._draw_batch(outputs, evaluator.dataset_meta,
                             self._folder(runner, mode))

    def _after_epoch(self, runner: Runner, mode: str = 'train') -> None:
        """Write the sheet."""
        # Of several processes the first one's share of the dataset suffices.
        if mode == 'train' or not self._cells or runner.rank != 0:
            return
        folder = self._folder(runner, mode)
        if folder is None:
            return
        save_image(
            folder / 'sheet.jpg',
            contact_sheet(self._cells, _SHEET_COLUMNS, self._captions,
                          _SHEET_TITLE))
        self._cells = []
        runner.logger.info(f'Sheet of {len(self._captions)} people: '
                           f'{folder / "sheet.jpg"}')

    def _folder(self, runner: Runner, mode: str) -> Path | None:
        if self.out_dir is None or mode == 'test':
            return self.out_dir
        # mmengine increments the counters before validation.
        if runner.log_processor.by_epoch:
            return self.out_dir / f'epoch_{runner.epoch:03d}'
        return self.out_dir / f'iter_{runner.iter:06d}'

    def _draw_batch(self, samples: Sequence[PoseDataSample],
                    dataset_meta: dict, out_dir: Path | None) -> None:
        for sample in samples:
            is_drawn = self._count % self.interval == 0
            on_sheet = out_dir is not None and self._count in self._on_sheet
            self._count += 1
            if not (is_drawn or on_sheet):
                continue
            image = mmcv.imread(sample.img_path)
            name = f'{Path(sample.img_path).stem}_{sample.id}'
            if is_drawn:
                drawn = self._draw(image, sample, dataset_meta,
                                   self.picture_height)
                if out_dir is not None:
                    save_image(out_dir / f'{name}.jpg', drawn)
                if self.show:
                    cv2.imshow(_WINDOW, drawn)
                    cv2.waitKey(round(1000 * self.wait_time))
            if on_sheet:
                self._cells.append(
                    self._draw(image, sample, dataset_meta,
                               _SHEET_CELL_HEIGHT))
                self._captions.append(name)

    def _draw(self, image: np.ndarray, sample: PoseDataSample,
              dataset_meta: dict, height: int) -> np.ndarray:
        """Draw prediction and ground truth, if any, over the input region."""
        predicted = sample.pred_instances
        poses = [(predicted.keypoints, predicted.keypoint_scores,
                  self.kpt_thr)]
        truth = sample.get('gt_instances')
        if truth is not None and 'keypoints' in truth:
            visible = np.asarray(truth.keypoints_visible)
            if visible.ndim == 3:  # KeypointConverter adds weights
                visible = visible[..., 0]
            poses.append((truth.keypoints, visible, 0.5))
        return side_by_side(
            draw_cropped_poses(image, sample.input_center, sample.input_scale,
                               height, skeleton_from_metainfo(dataset_meta),
                               poses))


def _check_windows() -> None:
    """Raise ValueError if this OpenCV cannot open a window."""
    try:
        cv2.namedWindow(_WINDOW)
    except cv2.error as error:
        raise ValueError('this OpenCV cannot open windows here; write images '
                         'to a folder (--show-dir)') from error
