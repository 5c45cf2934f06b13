"""Pictures of what any model predicts, written while it is evaluated."""
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import cv2
import mmcv
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner

from .image_files import save_image
from .sheet import contact_sheet


class PictureHook(Hook):
    """Draws predictions beside the ground truth, sample by sample.

    Files: ``<name>.jpg`` per sample and ``sheet.jpg`` with samples spread
    over the whole data set; in validation in a folder of their own,
    ``epoch_<n>`` or ``iter_<n>``.

    Args:
        enable: False does nothing, whatever the rest says.
        interval: every how many samples a picture is made.
        show: show each picture in a window.
        wait_time: seconds for which a window stays; 0 waits for a key.
        out_dir: folder to write to.
        sheet_size: samples on the sheet; 0 writes none.
        picture_height: height of a sample's picture in pixels.

    Raises:
        ValueError: if a number is out of range, or windows are asked of an
            OpenCV that has none.
    """

    sheet_cell_height = 224
    sheet_columns = 4
    #: What the sheet is of, for the log.
    samples_are = 'images'
    #: What is above the sheet.
    title = 'Left: prediction. Right: ground truth.'

    def __init__(self,
                 enable: bool = False,
                 interval: int = 1,
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
        self.show = show
        self.wait_time = wait_time
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.sheet_size = sheet_size
        self.picture_height = picture_height
        self._start(num_samples=0)

    @abstractmethod
    def name(self, sample: Any) -> str:
        """The name of a sample's picture, without suffix.

        Args:
            sample: a data sample with ``img_path``.
        """

    @abstractmethod
    def draw(self, photograph: np.ndarray, sample: Any, dataset_meta: dict,
             height: int) -> list[np.ndarray]:
        """The prediction and, if there is one, the ground truth.

        Args:
            photograph: (H, W, 3) uint8 BGR, of the sample's file.
            sample: a data sample with predictions.
            dataset_meta: of the data set.
            height: of the pictures, in pixels.

        Returns:
            (height, w, 3) uint8 BGR each.
        """

    def before_test_epoch(self, runner: Runner) -> None:
        """Choose the samples of the sheet."""
        self._start(len(runner.test_dataloader.sampler))

    def before_val_epoch(self, runner: Runner) -> None:
        """Choose the samples of the sheet."""
        self._start(len(runner.val_dataloader.sampler))

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Sequence[Any] = ()) -> None:
        """Draw the samples of a batch."""
        self._draw_batch(outputs, runner.test_evaluator.dataset_meta,
                         self.out_dir)

    def after_val_iter(self,
                       runner: Runner,
                       batch_idx: int,
                       data_batch: Optional[dict] = None,
                       outputs: Sequence[Any] = ()) -> None:
        """Draw the samples of a batch."""
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

    def _start(self, num_samples: int) -> None:
        self._count = 0
        self._cells: list[np.ndarray] = []
        self._captions: list[str] = []
        chosen = np.linspace(0, num_samples - 1,
                             min(self.sheet_size, num_samples))
        self._on_sheet: set[int] = set(np.rint(chosen).astype(int).tolist())

    def _draw_batch(self, samples: Sequence[Any], dataset_meta: dict,
                    out_dir: Optional[Path]) -> None:
        if not self.enable:
            return
        for sample in samples:
            has_picture = self._count % self.interval == 0
            on_sheet = out_dir is not None and self._count in self._on_sheet
            self._count += 1
            if not (has_picture or on_sheet):
                continue
            photograph = mmcv.imread(sample.img_path)
            name = self.name(sample)
            if has_picture:
                picture = _side_by_side(
                    self.draw(photograph, sample, dataset_meta,
                              self.picture_height))
                if out_dir is not None:
                    save_image(out_dir / f'{name}.jpg', picture)
                if self.show:
                    cv2.imshow('prediction, ground truth', picture)
                    cv2.waitKey(round(1000 * self.wait_time))
            if on_sheet:
                self._cells.append(
                    _side_by_side(
                        self.draw(photograph, sample, dataset_meta,
                                  self.sheet_cell_height)))
                self._captions.append(name)

    def _write_sheet(self, runner: Runner, out_dir: Optional[Path]) -> None:
        # With several processes the first one's share of the data will do.
        if not self._cells or out_dir is None or runner.rank != 0:
            return
        sheet = contact_sheet(self._cells, self.sheet_columns, self._captions,
                              self.title)
        path = out_dir / 'sheet.jpg'
        save_image(path, sheet)
        self._cells = []
        runner.logger.info(
            f'Sheet of {len(self._captions)} {self.samples_are}: {path}')


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one height in a row, white between them."""
    gap = np.full((len(pictures[0]), 2, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)]
    return np.hstack(parts[1:])


def _check_windows() -> None:
    """Raise ValueError if this OpenCV cannot open a window."""
    try:
        cv2.namedWindow('prediction, ground truth')
    except cv2.error as error:
        raise ValueError(
            'pictures cannot be shown: this OpenCV has no windows, or there '
            'is no screen; write them to a folder (--show-dir)') from error
