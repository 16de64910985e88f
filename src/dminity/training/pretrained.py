"""Starting from trained weights: a checkpoint of ours, or the official COCO release of YOLOX."""

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from dminity.core.amenities import COCO_CLASSES, COCO_TWIN
from dminity.core.files import exclusive, replacing_file
from dminity.network.detector import BadModelFile, read_checkpoint
from dminity.remote.faults import Unavailable
from dminity.remote.reading import open_folder
from dminity.remote.retrying import Blocks
from dminity.training.weights import (
    CLASS_LAYERS,
    Weights,
    class_count,
    difference,
    variant_of,
    weights_in,
)

CACHE = Path("models/pretrained")
# Of the files of https://github.com/Megvii-BaseDetection/YOLOX/releases/tag/0.1.1rc0
RELEASE_SHA256 = {
    "yolox_nano": "cd28f55fbbc1829f99d9ac9b38a16d259a22889739c8728ea877610201feff7b",
    "yolox_tiny": "9de513de589ac98bb92d3bca53b5af7b9acfa9b0bacb831f7999d0f7afaee8f0",
    "yolox_s": "f55ded7181e1b0c13285c56e7790b8f0e8f8db590fe4edb37f0b7f345c913a30",
    "yolox_m": "60076992b32da82951c90cfa7bd6ab70eba9eda243e08b940a396f60ac2d19b6",
    "yolox_l": "1e6b7fa6240375370b2a8a8eab9066b3cdd43fd1d0bfa8d2027fd3a51def2917",
    "yolox_x": "5652330b6ae860043f091b8f550a60c10e1129f416edfdb65c259be6caf355cf",
}
# How long to wait for another process that downloads it.
DOWNLOAD_PATIENCE_S = 3600.0
MEND = "check train.pretrained: `none`, `coco`, or the path of a state_dict"


def start_from(
    network: nn.Module, pretrained: str, release: str, variant: str, classes: tuple[str, ...]
) -> None:
    """Load `pretrained` into a fresh network: `none`, `coco`, or the path of a checkpoint.

    A checkpoint with COCO's 80 classes gives each class with a COCO twin that twin's row of the
    classification layers; the other rows start unsure.

    Raises:
        BadModelFile: if the checkpoint cannot be had, or is of another variant or other classes.
    """
    if pretrained == "none":
        return
    path = download(release, variant) if pretrained == "coco" else Path(pretrained)
    checkpoint = read_checkpoint(path, MEND)
    try:
        weights = weights_in(checkpoint)
    except ValueError as error:
        raise BadModelFile(f"{path} {error}; {MEND}") from error
    fresh = network.state_dict()
    _refuse_other_variant(weights, fresh, path, variant)
    names = checkpoint.get("classes")
    if isinstance(names, list | tuple) and len(names) == class_count(weights):
        weights = _sorted_class_rows(weights, names, classes, path)
    elif class_count(weights) == COCO_CLASSES:
        weights = _graft_class_rows(weights, fresh, classes)
    else:
        raise BadModelFile(
            f"{path} has no names for its classes ({class_count(weights)}), so their order is not "
            "known; save it with a list of them as `classes`, or start from COCO weights"
        )
    network.load_state_dict(fresh | weights)


def side_of(pretrained: str) -> int | None:
    """The side, in pixels, of the network input that a checkpoint of ours was trained at.

    None if it does not say, as those of other tools do not, or is none: `none` and `coco`.
    """
    if pretrained in ("none", "coco"):
        return None
    found = read_checkpoint(Path(pretrained), MEND).get("input_size")
    return int(found[0]) if isinstance(found, list) and found else None


def _refuse_other_variant(weights: Weights, fresh: Weights, path: Path, variant: str) -> None:
    """Refuse weights that are not of this variant; the number of their classes may differ."""
    found = difference(weights, fresh)
    if not found:
        return
    other = variant_of(weights)
    if other:
        raise BadModelFile(f"{path} holds {other}; set model={other}")
    raise BadModelFile(f"{path} holds no {variant}: {found}; {MEND}")


def _sorted_class_rows(
    weights: Weights, names: Sequence[str], classes: tuple[str, ...], path: Path
) -> Weights:
    """Weights for classes of these `names`, their rows in the order of `classes`."""
    if sorted(map(str, names)) != sorted(classes):
        raise BadModelFile(
            f"{path} has {len(names)} other classes than the {len(classes)} chosen here; set "
            "`classes` to its own, or start from COCO weights"
        )
    rows = [names.index(name) for name in classes]
    return {name: value[rows] if CLASS_LAYERS in name else value for name, value in weights.items()}


def _graft_class_rows(coco: Weights, fresh: Weights, classes: tuple[str, ...]) -> Weights:
    """COCO weights with class layers for `classes`: twins' rows from COCO, the others unsure.

    An unsure row has no weights, only the prior of a fresh network: random weights on features that
    are trained would give scores that outdo the twins'.
    """
    twins = [(row, COCO_TWIN[name]) for row, name in enumerate(classes) if name in COCO_TWIN]
    ours = [row for row, _ in twins]
    theirs = [row for _, row in twins]
    grafted = dict(coco)
    for key in (key for key in coco if CLASS_LAYERS in key):
        prior = fresh[key] if key.endswith("bias") else torch.zeros_like(fresh[key])
        grafted[key] = prior.clone()
        grafted[key][ours] = coco[key][theirs]
    return grafted


def download(release: str, variant: str) -> Path:
    """The official release file of a variant: from the cache, or else from the network.

    Raises:
        BadModelFile: if it cannot be had, or is not the file whose checksum is kept here.
        Occupied: if another process downloads it for an hour.
    """
    name = f"{variant}.pth"
    path = CACHE / name
    # Several processes of one training may want it at once.
    with exclusive(path, patience_s=DOWNLOAD_PATIENCE_S):
        if not path.exists():
            _fetch(release, variant, path)
    _check_sum(path, variant, str(path), "delete it, and it is downloaded anew")
    return path


def _fetch(release: str, variant: str, path: Path) -> None:
    """Download the release file of a variant, and keep it if it is what it should be."""
    origin = f"{release}/{path.name}"
    mend = "check train.release, or set train.pretrained to a file"
    try:
        with replacing_file(path) as unfinished:
            with unfinished.open("wb") as file:
                blocks = Blocks(open_folder(release), path.name)
                file.writelines(blocks.with_progress())
            _check_sum(unfinished, variant, origin, mend)
    except Unavailable as error:
        raise BadModelFile(f"{error}; {mend}") from error


def _check_sum(path: Path, variant: str, origin: str, mend: str) -> None:
    """Refuse a file that is not the official release file of the variant.

    `origin` is where it came from and `mend` what to do about it, for the error.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != RELEASE_SHA256[variant]:
        cut_off = "" if zipfile.is_zipfile(path) else "cut off, or "
        raise BadModelFile(
            f"{origin} is {cut_off}not the official {variant}: it has {path.stat().st_size} bytes "
            f"and the SHA-256 {found}; {mend}"
        )
