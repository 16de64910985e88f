"""Checkpoints that are missing, damaged, of other tools, or of another training."""

import errno
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from dminity.core.amenities import COCO_TWIN, NAMES
from dminity.network import detector
from dminity.network.detector import BadModelFile, build_network, load_detector
from dminity.training import pretrained
from dminity.training.checkpoints import (
    CHECKPOINT,
    SafeCheckpoints,
    fingerprint,
)
from dminity.training.pretrained import start_from
from dminity.training.pseudo_labels import with_pseudo_labels
from tests.helpers.detectors import nano, save_nano
from tests.helpers.room_folder import make_room_folder
from tests.helpers.training_runs import run, settings

NOWHERE = "http://127.0.0.1:9"
STEM = "backbone.backbone.stem.conv.conv.weight"
CLASS_BIAS = "head.cls_preds.0.bias"
Weights = dict[str, torch.Tensor]


def load_pretrained(path: Path | str, classes: tuple[str, ...] = NAMES) -> Weights:
    """Start a nano from a checkpoint; its weights."""
    network = build_network("yolox_nano", len(classes))
    start_from(network, settings(pretrained=str(path)).pretrained, NOWHERE, "yolox_nano", classes)
    return dict(network.state_dict())


def find_labels(path: Path) -> object:
    """Ask a detector for pseudo-labels, of no photo."""
    return with_pseudo_labels([], path.parent, path, torch.device("cpu"))


# Files that are damaged, for each of those who read them.

READERS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "the model": ("models/model.pth", load_detector, "run `dvc pull` or `dvc repro train`"),
    "what to start from": ("weights.pth", load_pretrained, "check train.pretrained: "),
    "what finds pseudo-labels": ("models/first.pth", find_labels, "check train.pseudo_labels: "),
    "an unfinished training": (
        f"models/unfinished/0123/{CHECKPOINT}",
        SafeCheckpoints().load_checkpoint,
        "delete the folder models/unfinished/0123 to begin anew",
    ),
}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda content: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut to two bytes": lambda content: content[:2],
    "without its last byte": lambda content: content[:-1],
    "without some bytes in the middle": lambda content: content[:9999] + content[10_100:],
    "zeros from the middle on": lambda content: content[: len(content) // 2].ljust(
        len(content), b"\0"
    ),
    "one byte of the weights is another": lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 1])
        + content[len(content) // 2 + 1 :]
    ),
    "a text": lambda content: b"hello\n",
    "a page of a website": lambda content: b"<!DOCTYPE html><html>Please log in</html>",
    "a pointer of Git LFS": lambda content: b"version https://git-lfs.github.com/spec/v1\noid 1\n",
    "random bytes": lambda content: np.random.default_rng(0).bytes(9999),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize(("name", "read", "mend"), READERS.values(), ids=READERS)
def test_a_damaged_file_is_named_with_its_mend(
    project: Path,
    name: str,
    read: Callable[[Path], object],
    mend: str,
    damage: Callable[[bytes], bytes],
) -> None:
    path = Path(name)
    save_nano(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadModelFile) as caught:
        read(path)
    error = str(caught.value)
    assert error.startswith(f"{name} is cut off or damaged, or no checkpoint; {mend}")
    assert "\n" not in error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        OSError(errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize(("name", "read", "mend"), READERS.values(), ids=READERS)
def test_too_little_memory_and_a_disk_that_fails_are_no_damage(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    read: Callable[[Path], object],
    mend: str,
    error: Exception,
) -> None:
    save_nano(Path(name))

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(type(error)) as caught:
        read(Path(name))
    assert caught.value is error


def test_too_little_memory_for_a_network_is_no_damage(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_nano(Path("model.pth"))
    error = RuntimeError("DefaultCPUAllocator: can't allocate memory")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(detector, "build_network", fail)
    with pytest.raises(RuntimeError) as caught:
        load_detector(Path("model.pth"))
    assert caught.value is error


@pytest.mark.parametrize("length", [0.05, 0.5, 0.95])
def test_a_file_of_an_old_pytorch_that_is_cut_off_is_named(project: Path, length: float) -> None:
    content = {"model": nano(80).state_dict()}
    torch.save(content, "weights.pth", _use_new_zipfile_serialization=False)
    load_pretrained("weights.pth")
    whole = Path("weights.pth").read_bytes()
    Path("weights.pth").write_bytes(whole[: int(len(whole) * length)])
    with pytest.raises(BadModelFile, match=r"weights\.pth is cut off or damaged, or cannot be"):
        load_pretrained("weights.pth")


@pytest.mark.parametrize(("name", "read", "mend"), READERS.values(), ids=READERS)
def test_a_file_that_is_not_there_or_a_folder_is_named(
    project: Path, name: str, read: Callable[[Path], object], mend: str
) -> None:
    with pytest.raises(BadModelFile, match=f"{name}: no such file; {mend}"):
        read(Path(name))
    Path(name).mkdir(parents=True)
    with pytest.raises(BadModelFile, match=f"{name} is a folder; {mend}"):
        read(Path(name))


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["emptied", "cut in half"])
def test_a_training_says_which_folder_to_delete_and_then_begins_anew(
    project: Path, damage: str
) -> None:
    rooms = make_room_folder(project / "voc", {"train": 4, "validation": 2}, side=96)
    place = Path("models/unfinished/0123")
    run(rooms, place, epochs=1, input_size=64)
    checkpoint = place / CHECKPOINT
    checkpoint.write_bytes(DAMAGES[damage](checkpoint.read_bytes()))
    with pytest.raises(BadModelFile, match=f"; delete the folder {place} to begin anew"):
        run(rooms, place, epochs=1, input_size=64)
    assert checkpoint.exists(), "what is left of it is the user's to delete"
    checkpoint.unlink()
    run(rooms, place, epochs=1, input_size=64)


@pytest.mark.parametrize("content", [{}, {"model": {}}])
def test_what_is_no_state_of_a_training_is_not_resumed(
    project: Path, content: dict[str, Any]
) -> None:
    path = Path("models/unfinished/0123") / CHECKPOINT
    path.parent.mkdir(parents=True)
    torch.save(content, path)
    message = "holds no state of a training; delete the folder models/unfinished/0123 to begin"
    with pytest.raises(BadModelFile, match=message):
        SafeCheckpoints().load_checkpoint(path)


# Checkpoints of other tools.


def cast(weights: Weights, dtype: torch.dtype) -> Weights:
    """The same weights in other numbers."""
    return {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in weights.items()
    }


def prefixed(weights: Weights, prefix: str) -> Weights:
    """The same weights with something before each name."""
    return {f"{prefix}{name}": value for name, value in weights.items()}


def of_yolox(weights: Weights) -> dict[str, Any]:
    """What YOLOX's own trainer writes."""
    return {
        "start_epoch": 3,
        "model": weights,
        "optimizer": {"state": {}, "param_groups": [{"lr": np.float32(0.1)}]},
        "best_ap": np.float64(0.3),
        "curr_ap": np.int64(1),
    }


UNDERSTOOD: dict[str, Callable[[Weights], object]] = {
    "the official release": lambda weights: {"model": weights, "start_epoch": 300},
    "a bare state_dict": lambda weights: weights,
    "a bare state_dict with a number of epochs": lambda weights: weights | {"epoch": 3},
    "Lightning": lambda weights: {"state_dict": prefixed(weights, "network.")},
    "a state_dict in a model": lambda weights: {"model": {"state_dict": weights}},
    "several GPUs": lambda weights: {"model": prefixed(weights, "module.")},
    "torch.compile": lambda weights: {"model": prefixed(weights, "_orig_mod.")},
    "all of these": lambda weights: {"state_dict": prefixed(weights, "model.module._orig_mod.")},
    "YOLOX's own trainer": of_yolox,
    "half precision": lambda weights: {"model": cast(weights, torch.float16)},
    "bfloat16": lambda weights: {"model": cast(weights, torch.bfloat16)},
    "double precision": lambda weights: {"model": cast(weights, torch.float64)},
    "without counters": lambda weights: {
        name: value for name, value in weights.items() if "num_batches_tracked" not in name
    },
}


@pytest.mark.parametrize("foreign", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_coco_weights_of_other_tools_are_understood(
    project: Path, foreign: Callable[[Weights], object]
) -> None:
    weights = nano(80).state_dict()
    torch.save(foreign(weights), "weights.pth")
    found = load_pretrained("weights.pth")
    for name, value in found.items():
        if "cls_preds" not in name and "num_batches_tracked" not in name:
            assert value.dtype == weights[name].dtype
            torch.testing.assert_close(value, weights[name], rtol=1e-2, atol=1e-6)
    row, twin = NAMES.index("Couch"), COCO_TWIN["Couch"]
    for name in (CLASS_BIAS, "head.cls_preds.2.weight"):
        torch.testing.assert_close(found[name][row], weights[name][twin], rtol=1e-2, atol=1e-6)


def without(weights: Weights, name: str) -> Weights:
    """All weights but one."""
    return {other: value for other, value in weights.items() if other != name}


REFUSED: dict[str, tuple[Callable[[Weights], object], str]] = {
    "no weights: None": (lambda weights: {"model": None}, r"holds no weights; check train\.pre"),
    "no weights: numbers": (lambda weights: {"epoch": 3}, r"holds no weights"),
    "no weights: nothing": (lambda weights: {}, r"holds no weights"),
    "a list": (lambda weights: [1, 2], r"holds a list, no state_dict"),
    "a tensor": (lambda weights: weights[STEM], r"holds a Tensor, no state_dict"),
    "not a number": (
        lambda weights: weights | {STEM: weights[STEM] * float("nan")},
        rf"holds numbers in {STEM} that are not finite",
    ),
    "beyond the numbers of float32": (
        lambda weights: weights | {STEM: weights[STEM].double() + 1e300},
        rf"holds numbers in {STEM} that are not finite",
    ),
    "a sparse tensor": (
        lambda weights: weights | {STEM: weights[STEM].to_sparse()},
        rf"holds {STEM} quantized, sparse or empty, not as plain numbers; check",
    ),
    "a tensor without numbers": (
        lambda weights: weights | {STEM: weights[STEM].to("meta")},
        rf"holds {STEM} quantized, sparse or empty",
    ),
    "whole numbers": (
        lambda weights: weights | {STEM: weights[STEM].to(torch.int8)},
        rf"holds no yolox_nano: {STEM} has the type torch\.int8",
    ),
    "another variant": (
        lambda weights: {"model": build_network("yolox_tiny", 80).state_dict()},
        r"weights\.pth holds yolox_tiny; set model=yolox_tiny$",
    ),
    "another variant of another tool": (
        lambda weights: prefixed(
            cast(build_network("yolox_s", 7).state_dict(), torch.float16), "module."
        ),
        r"weights\.pth holds yolox_s; set model=yolox_s$",
    ),
    "another network": (
        lambda weights: {"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.bias": torch.zeros(9)},
        rf"holds no yolox_nano: {STEM} is missing",
    ),
    "something is missing": (
        lambda weights: without(weights, CLASS_BIAS),
        r"holds no yolox_nano: head\.cls_preds\.0\.weight has the shape",
    ),
    "something else in it": (
        lambda weights: weights | {"mask.weight": torch.zeros(1)},
        r"holds no yolox_nano: it has mask\.weight",
    ),
    "another shape": (
        lambda weights: weights | {STEM: torch.zeros(16, 3, 3, 3)},
        rf"{STEM} has the shape \[16, 3, 3, 3\], not \[16, 12, 3, 3\]",
    ),
    "as many classes as ours without names": (
        lambda weights: {"model": nano(30).state_dict()},
        r"has no names for its classes \(30\), so their order is not known; save it with a list",
    ),
    "20 classes without names": (
        lambda weights: {"model": nano(20).state_dict()},
        r"has no names for its classes \(20\)",
    ),
    "names of fewer classes than there are": (
        lambda weights: {"model": nano(30).state_dict(), "classes": ["Bed"]},
        r"has no names for its classes \(30\)",
    ),
    "other classes": (
        lambda weights: {"model": nano(2).state_dict(), "classes": ["Bed", "Piano"]},
        r"has 2 other classes than the 30 chosen here; set `classes` to its own, or start from",
    ),
}


@pytest.mark.parametrize(("foreign", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_start_is_refused_for_its_true_reason(
    project: Path, foreign: Callable[[Weights], object], message: str
) -> None:
    torch.save(foreign(nano(80).state_dict()), "weights.pth")
    with pytest.raises(BadModelFile, match=message):
        load_pretrained("weights.pth")


def test_classes_in_another_order_are_put_into_ours(project: Path) -> None:
    weights = nano(3).state_dict()
    torch.save({"model": weights, "classes": ["Sink", "Towel", "Bed"]}, "weights.pth")
    found = load_pretrained("weights.pth", ("Bed", "Sink", "Towel"))
    for name in (CLASS_BIAS, "head.cls_preds.2.weight"):
        torch.testing.assert_close(found[name], weights[name][[2, 0, 1]])


class Hostile:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code ran",))


@pytest.mark.parametrize("zipped", [True, False])
def test_no_code_is_run_where_numbers_of_numpy_are_allowed(
    project: Path, capsys: pytest.CaptureFixture[str], zipped: bool
) -> None:
    hostile = of_yolox(nano(80).state_dict()) | {"hook": Hostile()}
    torch.save(hostile, "weights.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(BadModelFile, match=r"holds more than weights and is not opened; check"):
        load_pretrained("weights.pth")
    Path("weights.pth").write_bytes(pickle.dumps(Hostile(), protocol=2))
    with pytest.raises(BadModelFile, match=r"holds more than weights and is not opened; check"):
        load_pretrained("weights.pth")
    assert "code ran" not in capsys.readouterr().out


def test_a_model_in_half_precision_is_used_in_single_precision(project: Path) -> None:
    weights = cast(nano().state_dict(), torch.float16)
    named = {"variant": "yolox_nano", "classes": ["Bed", "Sink"], "input_size": [64, 96]}
    torch.save({"model": weights} | named, "model.pth")
    detector = load_detector(Path("model.pth"))
    assert {value.dtype for value in detector.network.parameters()} == {torch.float32}
    detector.find([np.zeros((48, 64, 3), np.uint8)])


# Where it lies.


def test_the_path_of_a_checkpoint_may_begin_at_home(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project / "home"))
    save_nano(project / "home" / "w.pth")
    load_pretrained("~/w.pth", ("Bed", "Sink"))
    with pytest.raises(BadModelFile, match=r"home/none\.pth: no such file; check"):
        load_pretrained("~/none.pth")
    with pytest.raises(ValidationError, match=r"~no-such-user/w\.pth': that user's home is not"):
        load_pretrained("~no-such-user/w.pth")


def test_the_weights_at_home_decide_what_a_training_ends_with(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project / "home"))
    rooms = make_room_folder(project / "voc", {"train": 1, "validation": 1}, side=64)
    (project / "home").mkdir()

    def of(content: bytes) -> str:
        (project / "home" / "w.pth").write_bytes(content)
        return fingerprint(settings(pretrained="~/w.pth"), "yolox_nano", NAMES, (), rooms)

    assert of(b"one") != of(b"another")
    assert of(b"one") == of(b"one")


@pytest.fixture
def release(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The official file in a folder of the user's home."""
    monkeypatch.setenv("HOME", str(project / "home"))
    path = project / "home" / "yolox_nano.pth"
    path.parent.mkdir()
    torch.save({"model": nano(80).state_dict()}, path)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(pretrained.RELEASE_SHA256, "yolox_nano", checksum)
    return path


def download_from_home() -> Path:
    """Download the official file from there."""
    return pretrained.download(settings(release="~").release, "yolox_nano")


def test_the_official_file_may_come_from_a_folder(release: Path) -> None:
    path = download_from_home()
    assert path.read_bytes() == release.read_bytes()


def test_a_download_that_is_cut_off_says_so_and_is_not_kept(release: Path) -> None:
    whole = release.read_bytes()
    release.write_bytes(whole[:10_000])
    message = r"home/yolox_nano\.pth is cut off, or not the official yolox_nano: it has 10000 bytes"
    with pytest.raises(BadModelFile, match=rf"{message} .*; check train\.release, or set"):
        download_from_home()
    assert not (pretrained.CACHE / "yolox_nano.pth").exists()
    release.write_bytes(whole)
    download_from_home()


def test_a_release_that_cannot_be_had_is_said_with_its_address_once(project: Path) -> None:
    with pytest.raises(BadModelFile) as caught:
        pretrained.download("/gone", "yolox_nano")
    assert str(caught.value) == (
        "no such folder: the folder /gone is not there; check train.release, or set "
        "train.pretrained to a file"
    )


def test_another_file_than_the_official_one_is_not_called_cut_off(release: Path) -> None:
    save_nano(release)
    with pytest.raises(BadModelFile, match=r"yolox_nano\.pth is not the official yolox_nano: it"):
        download_from_home()


def test_a_damaged_copy_of_the_official_file_is_the_users_to_delete(release: Path) -> None:
    path = download_from_home()
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(BadModelFile, match=r"yolox_nano\.pth is cut off, .*; delete it, and it is"):
        download_from_home()
    path.unlink()
    download_from_home()
