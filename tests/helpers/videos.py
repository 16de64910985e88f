"""Videos as files, made for tests."""

from pathlib import Path

import cv2
import numpy as np

SIDE = 64
CODECS = {".mp4": "mp4v", ".avi": "MJPG"}


def write_video(path: Path, frames: int = 30, per_second: float = 10.0) -> Path:
    """A video whose left half is bright in its first half, and whose right half is bright later."""
    code = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
    video = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, per_second, (SIDE, SIDE))
    assert video.isOpened()
    for number in range(frames):
        frame = np.zeros((SIDE, SIDE, 3), np.uint8)
        left = number < frames / 2
        frame[:, : SIDE // 2] = 240 * left
        frame[:, SIDE // 2 :] = 240 * (not left)
        video.write(frame)
    video.release()
    return path


def cut(path: Path, share: float) -> Path:
    """Leave only the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path
