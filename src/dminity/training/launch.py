"""Who started the processes of a training, what they wait for, and which says why it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import lightning as L
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies.launchers import subprocess_script

from dminity.core import ending
from dminity.core.errors import DminityError
from dminity.core.progress import Waiting, waiting_for
from dminity.training.processes import SILENT

# By slurm.h, the steps of a batch script and of an interactive shell have numbers from here on.
FIRST_RESERVED_STEP = 0xFFFFFFF0
# How gloo, NCCL and PyTorch say that a process is gone with which they exchange gradients.
LOST_CONNECTION = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "remote process exited",
)
# How long a process that is gone may take to end, and the first one to notice that it is gone.
ENDING_S = 10.0
POLL_S = 0.1


class NotStarted(DminityError):
    """The processes of a training are not started as its parameters say."""


class ProcessLost(DminityError):
    """Another process of a training is gone."""


def cluster(processes: int, num_nodes: int) -> ClusterEnvironment:
    """What started the processes of this training: torchrun, SLURM's srun, or this process.

    SLURM without Lightning's own checkpoints and requeues, which are of the middle of an epoch: a
    job that SLURM starts again resumes its last epoch.

    Args:
        processes: how many there are to be, on all machines.
        num_nodes: how many machines.

    Raises:
        NotStarted: if several machines are to train and nothing started this on each of them, or
            if another number of processes was started.
    """
    if TorchElasticEnvironment.detect():
        return _of_size(TorchElasticEnvironment(), processes, "torchrun")
    if _started_by_srun():
        try:
            environment = SLURMEnvironment(auto_requeue=False)
        # --ntasks without --ntasks-per-node.
        except RuntimeError as error:
            raise NotStarted(str(error)) from error
        return _of_size(environment, processes, "srun")
    if num_nodes > 1 and not {"MASTER_ADDR", "NODE_RANK"} <= os.environ.keys():
        raise NotStarted(
            f"train.num_nodes is {num_nodes}, and this process would wait for the others for ever: "
            "start it on each machine by torchrun or srun, as README says of several machines, or "
            "set train.num_nodes=1"
        )
    return LightningEnvironment()


def _of_size(environment: ClusterEnvironment, processes: int, program: str) -> ClusterEnvironment:
    """The same, if that is how many processes `program` started."""
    started = environment.world_size()
    if started != processes:
        raise NotStarted(
            f"{program} started {started} processes, and train.devices and train.num_nodes ask for "
            f"{processes}: start as many, or change those"
        )
    return environment


def _started_by_srun() -> bool:
    """Whether this process is a task of srun.

    A script of sbatch has all of SLURM's variables too, and is one process, whatever --ntasks says.
    """
    step = os.environ.get("SLURM_STEP_ID", "")
    return step.isdecimal() and int(step) < FIRST_RESERVED_STEP and SLURMEnvironment.detect()


class _Met(Callback):
    """Ends the waiting for other machines: all processes have met."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting

    def setup(self, *_: Any, **__: Any) -> None:
        """All have met."""
        self.waiting.rest()


@contextmanager
def meeting(trainer: L.Trainer) -> Iterator[None]:
    """Say that a training waits for its other machines, until all its processes have met."""
    if trainer.num_nodes == 1:
        yield
        return
    environment = trainer.strategy.cluster_environment  # type: ignore[attr-defined]
    where = f"{environment.main_address}:{environment.main_port}"
    others = f"the processes of all {trainer.num_nodes} machines to meet at {where}"
    with waiting_for(others) as waiting:
        trainer.callbacks.append(_Met(waiting))  # type: ignore[attr-defined]
        yield


@contextmanager
def one_speaks(trainer: L.Trainer) -> Iterator[None]:
    """Let that process say why a training ended in which the fault is.

    The others lose their connection to it, and end without a word; the first one sees how those
    ended that it started, and speaks for one that was killed.

    Raises:
        ProcessLost: if the other process cannot have said why.
    """
    # Lightning would kill the first process before it can speak, if another one fails.
    subprocess_script._launch_process_observer = _watch  # type: ignore[attr-defined,assignment]
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error) for words in LOST_CONNECTION):
            raise
        if not trainer.is_global_zero:
            sys.exit(SILENT)
        reason = _reason(getattr(trainer.strategy.launcher, "procs", []))
        if reason is None:
            sys.exit(1)
        raise ProcessLost(reason) from error


def _watch(processes: list[subprocess.Popen[bytes]]) -> None:
    """End this process in one line when one that it started fails, and it does not notice itself.

    It may wait for the other: on a GPU for half an hour.
    """

    def watch() -> None:
        while not any(codes := [process.poll() for process in processes]):
            if None not in codes:
                return
            time.sleep(POLL_S)
        # Time to notice it, and to say it.
        time.sleep(2 * ENDING_S)
        ending.end(_reason(processes))

    Thread(target=watch, name="other processes", daemon=True).start()


def _reason(processes: list[subprocess.Popen[bytes]]) -> str | None:
    """Why a training ended that lost one of its processes; None if that one says so itself.

    processes: those that this one started, which are given some time to end.
    """
    end = time.monotonic() + ENDING_S
    while True:
        codes = [process.poll() for process in processes]
        for code in codes:
            if code is not None and code < 0:
                return (
                    f"a process of this training was ended by {signal.Signals(-code).name}, most "
                    "often as memory ran out; lower train.devices or train.batch_size, and run it "
                    "again to resume"
                )
        if any(code not in (None, 0, SILENT) for code in codes):
            return None
        if None not in codes or time.monotonic() > end:
            return (
                "the connection to another process of this training is lost: see what that one "
                "said, where it ran; run all again to resume"
            )
        time.sleep(POLL_S)
