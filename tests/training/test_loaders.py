"""Loader workers."""

import signal

import cv2

from dminity.training.loaders import start_worker


def test_a_worker_keeps_to_one_core_and_ends_on_ctrl_c() -> None:
    threads, on_ctrl_c = cv2.getNumThreads(), signal.getsignal(signal.SIGINT)
    try:
        start_worker(0)
        assert cv2.getNumThreads() == 1
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    finally:
        cv2.setNumThreads(threads)
        signal.signal(signal.SIGINT, on_ctrl_c)
