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
from .image_files import check_windows, save_image
from .sheet import contact_sheet, draw_cropped_poses

#: Height of a person's image, and on the sheet, in pixels.
_HEIGHT, _CELL_HEIGHT = 512, 224
#: Number of people on the sheet, and of its columns.
_SHEET_SIZE, _SHEET_COLUMNS = 24, 4
_SHEET_TITLE = ('Left: prediction. Right: ground truth. Orange: the right '
                'side of the person, blue: the left side.')


@HOOKS.register_module()
class HourglassVisualizationHook(Hook):
    """Draws predictions beside the ground truth, person by person.

    Has the arguments of MMPose's ``PoseVisualizationHook``. Files:
    ``<image>_<id>.jpg`` for every ``interval``-th person, and ``sheet.jpg``
    with 24 people from the whole dataset; in validation in a folder
    ``epoch_<n>`` or ``iter_<n>``.

    Args:
        enable: False disables the hook.
        interval: draw every n-th person.
        kpt_thr: joints with lower scores are not drawn. Default 0: all of
            them are, as all of them count in the evaluation.
        show: show each image in a window.
        wait_time: seconds for which a window stays; 0 waits for a key.
        out_dir: folder to write to.

    Raises:
        ValueError: if ``show`` is set and OpenCV cannot open windows.
    """

    def __init__(self,
                 enable: bool = False,
                 interval: int = 1,
                 *,
                 kpt_thr: float = 0.0,
                 show: bool = False,
                 wait_time: float = 0.0,
                 out_dir: str | None = None) -> None:
        if enable and show:
            check_windows()
        self.enable = enable and (show or out_dir is not None)
        self.interval = interval
        self.kpt_thr = kpt_thr
        self.show = show
        self.wait_time = wait_time
        self.out_dir = None if out_dir is None else Path(out_dir)

    def _before_epoch(self, runner: Runner, mode: str = 'train') -> None:
        """Choose the people of the sheet."""
        if mode != 'train':
            total = len(getattr(runner, f'{mode}_dataloader').sampler)
            chosen = np.linspace(0, total - 1, min(_SHEET_SIZE, total))
            self._on_sheet = set(np.rint(chosen).astype(int).tolist())
            self._count = 0
            self._sheet: dict[str, np.ndarray] = {}  # caption -> image

    def _after_iter(self,
                    runner: Runner,
                    batch_idx: int,
                    data_batch: Any = None,
                    outputs: Sequence[PoseDataSample] = (),
                    mode: str = 'train') -> None:
        """Draw the people of a batch."""
        if mode == 'train' or not self.enable:
            return
        folder = self._folder(runner, mode)
        metainfo = getattr(runner, f'{mode}_evaluator').dataset_meta
        for number, sample in enumerate(outputs, start=self._count):
            is_drawn = number % self.interval == 0
            on_sheet = folder is not None and number in self._on_sheet
            if not (is_drawn or on_sheet):
                continue
            drawn = self._draw(sample, metainfo)
            name = f'{Path(sample.img_path).stem}_{sample.id}'
            if is_drawn and folder is not None:
                save_image(folder / f'{name}.jpg', drawn)
            if is_drawn and self.show:
                mmcv.imshow(drawn, 'hourglass', round(1000 * self.wait_time))
            if on_sheet:
                width = round(drawn.shape[1] * _CELL_HEIGHT / _HEIGHT)
                self._sheet[name] = cv2.resize(
                    drawn, (width, _CELL_HEIGHT), interpolation=cv2.INTER_AREA)
        self._count += len(outputs)

    def _after_epoch(self, runner: Runner, mode: str = 'train') -> None:
        """Write the sheet."""
        # Of several processes the first one's share of the dataset suffices.
        folder = None if mode == 'train' else self._folder(runner, mode)
        if folder is None or not self._sheet or runner.rank != 0:
            return
        path = folder / 'sheet.jpg'
        save_image(path, contact_sheet([*self._sheet.values()], _SHEET_COLUMNS,
                                       [*self._sheet], _SHEET_TITLE))
        runner.logger.info(f'Sheet of {len(self._sheet)} people: {path}')
        self._sheet = {}

    def _folder(self, runner: Runner, mode: str) -> Path | None:
        """Return the folder to write to; None writes nothing."""
        if self.out_dir is None or mode == 'test':
            return self.out_dir
        # mmengine increments the counters before validation.
        if runner.log_processor.by_epoch:
            return self.out_dir / f'epoch_{runner.epoch:03d}'
        return self.out_dir / f'iter_{runner.iter:06d}'

    def _draw(self, sample: PoseDataSample, metainfo: dict) -> np.ndarray:
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
        return draw_cropped_poses(
            mmcv.imread(sample.img_path), sample.input_center,
            sample.input_scale, _HEIGHT, skeleton_from_metainfo(metainfo),
            poses)
