"""Write videos that browsers play."""
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np


class VideoFile:
    """An MP4 file without sound: H.264 by PyAV, else VP9 by OpenCV.

    ``pip install av`` brings the encoder of H.264, which every player knows;
    older ones do not play VP9.

    Args:
        path: file to write.
        rate: frames per second.
        size: width and height of the frames in pixels; an odd last row or
            column is left out.

    Raises:
        OSError: if the file cannot be written.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int,
                                                            int]) -> None:
        self._size = size[0] // 2 * 2, size[1] // 2 * 2
        self._stream: Any = None
        try:
            import av
        except ImportError:
            self._file: Any = cv2.VideoWriter(
                str(path), cv2.VideoWriter.fourcc(*'vp09'), rate, self._size)
            if not self._file.isOpened():
                raise OSError(f'this OpenCV cannot write {path}: pip install '
                              'av') from None
            return
        from fractions import Fraction
        self._av = av
        self._file = av.open(str(path), 'w', format='mp4')
        self._stream = self._file.add_stream(
            'libx264', rate=Fraction(rate).limit_denominator(1001))
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = 'yuv420p'

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8, BGR."""
        frame = np.ascontiguousarray(frame[:self._size[1], :self._size[0]])
        if self._stream is None:
            self._file.write(frame)
            return
        picture = self._av.VideoFrame.from_ndarray(frame, format='bgr24')
        self._file.mux(self._stream.encode(picture))

    def __enter__(self) -> 'VideoFile':
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._stream is None:
            self._file.release()
            return
        self._file.mux(self._stream.encode())
        self._file.close()
