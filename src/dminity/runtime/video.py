"""Frames of a video, upright."""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dminity.runtime.photo import BadPhoto, Photo

# The container may only guess how many frames there are: a few that are missing are no fault.
LEAST_SHARE = 0.9
# Read by OpenCV when it first opens a video. A video may name others, which are not read, and
# what FFmpeg has to say is said here in one line. https://ffmpeg.org/ffmpeg-protocols.html
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;file")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


def frames(path: Path, every_s: float) -> Iterator[tuple[float, Photo]]:
    """A frame in so many seconds, the first one first, and the second at which each is shown.

    Raises:
        BadPhoto: with the reason, without the file's name; if the video stops before its end, after
            the frames that can be read.
    """
    video = _opened(path)
    try:
        per_second = video.get(cv2.CAP_PROP_FPS)
        promised = video.get(cv2.CAP_PROP_FRAME_COUNT)
        if not per_second > 0:
            raise BadPhoto("it does not say how many frames a second has")
        read, due_s = 0, 0.0
        # Passing over a frame costs less than having its pixels.
        while video.grab():
            second = read / per_second
            read += 1
            if second < due_s:
                continue
            due_s += every_s
            sound, pixels = video.retrieve()
            if not sound:
                raise BadPhoto(f"its frame at {second:.1f} s is damaged")
            bgr = np.ascontiguousarray(pixels, np.uint8)
            yield second, Photo(bgr, *bgr.shape[:2])
        if read < max(1.0, LEAST_SHARE * promised):
            raise BadPhoto(
                f"it stops after {read / per_second:.1f} of {promised / per_second:.1f} s: it is "
                "cut off or damaged"
            )
    finally:
        video.release()


def _opened(path: Path) -> cv2.VideoCapture:
    """A video, whose first frame may still be damaged.

    Raises:
        BadPhoto: if it is none, or not there.
    """
    if not path.exists():
        raise BadPhoto("there is no such file or folder")
    if not path.stat().st_size:
        raise BadPhoto("it is empty")
    try:
        # From the root on, no part of a name is taken for a protocol.
        video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    except UnicodeEncodeError as error:
        raise BadPhoto("its name is not in UTF-8: give it another one") from error
    if not video.isOpened():
        raise BadPhoto("it is cut off or damaged, or no video that can be read")
    return video
