"""What can happen to a training, and what it says: each in one line.

What it delivers where validation tells nothing is in tests/training/test_validation.py.
"""

import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from dminity.core import memory
from dminity.data import voc
from dminity.loader.failures import (
    Failure,
    Guarded,
    LoaderEnded,
    NoSharedMemory,
    batched,
    killed_loaders_named,
)
from dminity.training import hardware, launch
from dminity.training.coverage import note_few_steps, note_gaps
from dminity.training.hardware import NotCompiled
from dminity.training.launch import NotStarted, ProcessLost
from dminity.training.processes import SILENT
from dminity.training.step import BatchTooSmall, OutOfMemory
from tests.helpers.processes import LIMIT_S, end
from tests.helpers.room_folder import make_room_folder
from tests.helpers.training_runs import make_project, run, start_stage


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A VOC folder that a test may spoil, away from this repository."""
    monkeypatch.chdir(tmp_path)
    return make_room_folder(tmp_path / "voc", {"train": 4, "validation": 2, "test": 2}, side=64)


# Loader processes.


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_what_a_loader_process_finds_is_said_as_it_is(
    folder: Path, tmp_path: Path, workers: int, split: str
) -> None:
    path = voc.photo_path(folder, voc.read_ids(folder, split)[0])
    path.unlink()
    with pytest.raises(voc.PhotoMissing) as raised:
        run(folder, tmp_path / "run", epochs=1, input_size=64, workers=workers)
    assert str(raised.value).startswith(f"{path}: no such file")
    assert "\n" not in str(raised.value)


class Photos(torch.utils.data.Dataset[object]):
    """Items, or what is raised in their place."""

    def __init__(self, items: list[object]) -> None:
        self.items = items

    def __getitem__(self, index: int) -> object:
        item = self.items[index]
        if isinstance(item, Exception):
            raise item
        return item


def test_an_error_keeps_its_traceback_on_its_way_from_another_process() -> None:
    photos = Guarded(Photos([1, KeyError("x")]))
    failure = batched([photos[0], photos[1]])
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, KeyError)
    assert "raise item" in failure.error.__notes__[0]


def test_an_error_that_cannot_be_sent_is_sent_in_words() -> None:
    class Local(Exception):
        """It is of this function, and so cannot be pickled."""

    failure = Guarded(Photos([Local("why")]))[0]
    assert isinstance(failure.error, RuntimeError)
    assert str(failure.error) == "Local: why"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (RuntimeError("DataLoader worker (pid 1) is killed by signal: Bus error. It"),
         NoSharedMemory, r"train.workers=0, or enlarge /dev/shm"),
        (RuntimeError("DataLoader worker (pid(s) 1) exited unexpectedly"), LoaderEnded, "lower"),
        (RuntimeError("another"), RuntimeError, "another"),
    ],
)  # fmt: skip
def test_a_loader_that_was_killed_is_named(
    error: Exception, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words), killed_loaders_named():
        raise error


def test_loaders_that_cannot_start_are_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("torch.utils.data.dataloader._MultiProcessingDataLoaderIter", refused)
    with pytest.raises(LoaderEnded, match=r"cannot start .*Function not.*train\.workers=0"):
        run(folder, tmp_path / "run", epochs=1, input_size=64, workers=1)


def test_shared_memory_that_is_full_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> object:
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: 28")

    monkeypatch.setattr("dminity.loader.failures.default_collate", full)
    assert isinstance(batched([torch.zeros(1)]).error, NoSharedMemory)


# Memory.


@pytest.mark.parametrize("size", [4, 8])
def test_a_batch_that_does_not_fit_into_free_memory_is_refused_before_it_is_tried(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(hardware, "free_bytes", lambda _: 20_000_000)
    with pytest.raises(
        OutOfMemory, match=rf"{size} photos at once do not fit into the free memory"
    ):
        run(folder, tmp_path / "run", epochs=1, batch_size=size)


@pytest.mark.parametrize(
    "files",
    [
        {"memory.max": "3000", "memory.current": "1500",
         "memory.stat": "anon 1\ninactive_file 500"},
        {"memory/memory.limit_in_bytes": "3000", "memory/memory.usage_in_bytes": "1500",
         "memory/memory.stat": "cache 1\ntotal_inactive_file 500"},
        {"a/memory.max": "max", "a/memory.current": "1", "a/memory.stat": "inactive_file 0",
         "memory.max": "3000", "memory.current": "1000", "memory.stat": "inactive_file 0"},
    ],
    ids=["version 2", "version 1", "a limit above"],
)  # fmt: skip
def test_the_limit_of_a_container_counts(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "own").write_text("0::/a/b\n")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "OWN_CGROUPS", tmp_path / "own")
    assert memory.available_bytes() == 2000


def test_the_limit_of_a_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CGROUPS", Path("/nowhere"))
    before = memory.available_bytes()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    assert memory.available_bytes() == 0 < before


def test_a_batch_of_one_value_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchTooSmall, match=r"raise train\.batch_size"):
        run(folder, tmp_path / "run", epochs=1, batch_size=1, input_size=32)


def test_without_a_compiler_nothing_is_begun(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(NotCompiled, match=r"set train\.compile=false"):
        run(folder, tmp_path / "run", compile=True)
    assert not (tmp_path / "run").exists()


# Who starts its processes.


BATCH_SCRIPT = {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "job", "SLURM_JOB_ID": "5"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, LightningEnvironment),
        (BATCH_SCRIPT, LightningEnvironment),
        (BATCH_SCRIPT | {"SLURM_STEP_ID": "4294967291"}, LightningEnvironment),
        (BATCH_SCRIPT | {"SLURM_STEP_ID": "0", "SLURM_NTASKS_PER_NODE": "4"}, SLURMEnvironment),
    ],
    ids=["nobody", "sbatch", "sbatch, with the number of its own step", "srun"],
)
def test_slurm_counts_where_srun_starts_the_processes(
    variables: dict[str, str], expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert type(launch.cluster(4, 1)) is expected


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (BATCH_SCRIPT | {"SLURM_STEP_ID": "0", "SLURM_NTASKS_PER_NODE": "4"},
         r"srun started 4 processes, and .* ask for 2"),
        (BATCH_SCRIPT | {"SLURM_STEP_ID": "0"}, "--ntasks-per-node=4"),
        ({"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "3"}, r"torchrun started 3 .* ask for 2"),
    ],
    ids=["srun", "tasks of no node", "torchrun"],
)  # fmt: skip
def test_another_number_of_processes_is_refused(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotStarted, match=said):
        launch.cluster(2, 1)


def test_several_machines_that_nothing_started_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match=r"train.num_nodes is 2.*torchrun or srun"):
        run(folder, tmp_path / "run", num_nodes=2)


PEER_GONE = RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]")
KILLED = "import os; os.kill(os.getpid(), 9)"


def trainer(first: bool, *programs: str) -> Any:
    """What a process of a training knows of itself, and of those that it started."""
    started = [subprocess.Popen([sys.executable, "-c", code]) for code in programs]
    launcher = SimpleNamespace(procs=started)
    return SimpleNamespace(is_global_zero=first, strategy=SimpleNamespace(launcher=launcher))


@pytest.mark.parametrize(
    ("first", "programs", "code"),
    [
        (False, [], SILENT),
        (True, ["raise SystemExit(1)"], 1),
        (True, [f"raise SystemExit({SILENT})", "raise SystemExit(1)"], 1),
    ],
    ids=["other", "first", "first of three"],
)
def test_a_process_whose_peer_has_said_why_ends_without_a_word(
    first: bool, programs: list[str], code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, launch.one_speaks(trainer(first, *programs)):
        raise PEER_GONE
    assert ended.value.code == code
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("before", [[], [f"raise SystemExit({SILENT})"]])
def test_a_process_whose_peer_was_killed_says_so(before: list[str]) -> None:
    peers = trainer(True, *before, KILLED)
    with pytest.raises(ProcessLost, match="SIGKILL"), launch.one_speaks(peers):
        raise PEER_GONE


@pytest.mark.parametrize("programs", [[], [f"raise SystemExit({SILENT})"]])
def test_a_connection_that_all_lost_is_said_by_the_first(programs: list[str]) -> None:
    peers = trainer(True, *programs)
    with pytest.raises(ProcessLost, match="where it ran"), launch.one_speaks(peers):
        raise PEER_GONE


def test_another_error_is_left_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="NCCL"), launch.one_speaks(trainer(True)):
        raise RuntimeError("NCCL error: unhandled system error")


IN_A_STEP = """
import multiprocessing, sys, time
from dminity.core import stage
from dminity.stages import train
from dminity.training import launch, run

class InAStep(run.EndOnSignal):
    def on_train_batch_start(self, trainer, *_):
        if trainer.is_global_zero:
            {kill}
            time.sleep({limit})

launch.ENDING_S = 0.1
run.EndOnSignal = InAStep
stage.run(train.main)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kill", "changes", "said"),
    [
        ("trainer.strategy.launcher.procs[0].kill()", {"devices": 2},
         "a process of this training was ended by SIGKILL"),
        ("multiprocessing.active_children()[0].kill()", {"workers": 1},
         "a loader process was killed"),
    ],
    ids=["of another device", "loader"],
)  # fmt: skip
def test_a_process_that_is_killed_while_the_first_one_is_in_a_step_is_said(
    kill: str, changes: dict[str, int], said: str, folder: Path, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project", folder, input_size=64, **changes)
    program = project / "program.py"
    program.write_text(IN_A_STEP.format(kill=kill, limit=LIMIT_S))
    process = start_stage(project, (sys.executable, str(program)))
    assert process.wait(LIMIT_S) == 1
    assert end(process).splitlines()[-1].startswith(f"error: {said}")


# What photos cannot teach or tell.


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ({"train": {"Bed": 3, "Sink": 1}}, []),
        (
            {"train": {"Bed": 3}},
            ["no box of Sink counts in the train photos: that cannot be learned"],
        ),
        ({"train": {}}, ["no box counts in the train photos: nothing can be learned"]),
        ({"validation": {}}, ["no box counts in the validation photos: AP cannot tell"]),
        (
            {"test": {"Sink": 1}},
            ["no box of Bed counts in the test photos: its AP leaves them out"],
        ),
    ],
)
def test_what_has_no_box_that_counts_is_said(
    boxes: dict[str, dict[str, int]], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    note_gaps({split: Counter(counts) for split, counts in boxes.items()}, ("Bed", "Sink"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(said)
    for line, words in zip(lines, said, strict=True):
        assert line.startswith(f"note: {words}")


@pytest.mark.parametrize(("steps", "said"), [(99, True), (100, False)])
def test_a_training_too_short_to_learn_from_is_said(
    steps: int, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    note_few_steps(20, steps)
    assert ("too few to learn from" in capsys.readouterr().err) == said
