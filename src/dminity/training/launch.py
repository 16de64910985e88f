"""Who started the processes of a training, what they wait for, and which says why it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import Callback

from dminity.core.errors import DminityError
from dminity.core.progress import Waiting

# By slurm.h, the steps of a batch script and of an interactive shell have numbers from here on.
FIRST_RESERVED_STEP = 0xFFFFFFF0
# How PyTorch says that a process is gone with which it exchanges gradients.
LOST_CONNECTION = ("Connection closed by peer", "Connection reset by peer", "gloo", "NCCL")
# How long a process that is gone may take to end.
ENDING_S = 10.0


class NotStarted(DminityError):
    """The processes of a training are not started as its parameters say."""


class ProcessLost(DminityError):
    """Another process of a training is gone."""


def cluster(num_nodes: int) -> list[ClusterEnvironment]:
    """What started the processes of this training: torchrun, SLURM's srun, or this process.

    SLURM without Lightning's own checkpoints and requeues, which are of the middle of an epoch: a
    job that SLURM starts again resumes its last epoch.

    Raises:
        NotStarted: if several machines are to train, and nothing started this on each of them.
    """
    if TorchElasticEnvironment.detect():
        return []
    if _started_by_srun():
        return [SLURMEnvironment(auto_requeue=False)]
    if num_nodes > 1 and not {"MASTER_ADDR", "NODE_RANK"} <= os.environ.keys():
        raise NotStarted(
            f"train.num_nodes is {num_nodes}, and this process would wait for the others for ever: "
            "start it on each machine by torchrun or srun, as README says of several machines, or "
            "set train.num_nodes=1"
        )
    return [LightningEnvironment()]


def _started_by_srun() -> bool:
    """Whether this process is a task of srun.

    A script of sbatch has all of SLURM's variables too, and is one process, whatever --ntasks says.
    """
    step = os.environ.get("SLURM_STEP_ID", "")
    return step.isdecimal() and int(step) < FIRST_RESERVED_STEP and SLURMEnvironment.detect()


class Meeting(Callback):
    """Says that a training waits for its other machines, until all its processes have met."""

    def __init__(self, waiting: Waiting, num_nodes: int) -> None:
        self.waiting = waiting
        if num_nodes == 1:
            waiting.rest()

    def setup(self, *_: Any, **__: Any) -> None:
        """All have met."""
        self.waiting.rest()


def others(num_nodes: int) -> str:
    """Whom a process of a training on several machines waits for."""
    address, port = (os.environ.get(f"MASTER_{part}", "?") for part in ("ADDR", "PORT"))
    return f"the processes of all {num_nodes} machines to meet at {address}:{port}"


@contextmanager
def one_speaks(trainer: L.Trainer) -> Iterator[None]:
    """Let that process say why a training ended in which the fault is.

    The others lose their connection to it, and end without a word.

    Raises:
        ProcessLost: if the other process cannot have said why.
    """
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error) for words in LOST_CONNECTION):
            raise
        if not trainer.is_global_zero:
            sys.exit(1)
        code = _code_of_first_to_fail(getattr(trainer.strategy.launcher, "procs", []))
        if code is None:
            raise ProcessLost(
                "another process of this training is gone, and said why where it ran; run all "
                "again to resume"
            ) from error
        if code < 0:
            raise ProcessLost(
                f"a process of this training was ended by {signal.Signals(-code).name}, most often "
                "as memory ran out; lower train.devices or train.batch_size, and run it again to "
                "resume"
            ) from error
        sys.exit(1)


def _code_of_first_to_fail(processes: list[subprocess.Popen[bytes]]) -> int | None:
    """The exit code of the process among those started here that failed; None if none does."""
    end = time.monotonic() + ENDING_S
    while processes and time.monotonic() < end:
        for process in processes:
            if code := process.poll():
                return int(code)
        time.sleep(0.05)
    return None
