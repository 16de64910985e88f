"""Starting from trained weights: a checkpoint of ours, or the official COCO release of YOLOX."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from dminity.core.amenities import COCO_CLASSES, COCO_TWIN
from dminity.core.files import exclusive, replacing_file
from dminity.network.detector import BadModelFile, first_line, read_checkpoint
from dminity.remote.reading import Unavailable, open_folder
from dminity.remote.retrying import Blocks

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
CLASS_LAYERS = "head.cls_preds."


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
    checkpoint = read_checkpoint(path)
    weights = checkpoint.get("model", checkpoint)
    theirs = checkpoint.get("classes")
    fresh = network.state_dict()
    _check_variant(weights, fresh, path, variant)
    rows = weights[f"{CLASS_LAYERS}0.bias"].shape[0]
    if theirs is None and rows == COCO_CLASSES:
        weights = _graft_class_rows(weights, fresh, classes)
    elif theirs != list(classes):
        raise BadModelFile(
            f"{path} has {rows} other classes than the {len(classes)} chosen here; set `classes` "
            "to its own, or start from COCO weights"
        )
    network.load_state_dict(weights)


def _check_variant(
    weights: dict[str, torch.Tensor], fresh: dict[str, torch.Tensor], path: Path, variant: str
) -> None:
    """Refuse weights that are not of this variant; the class layers may differ."""
    ours = {key: value.shape for key, value in fresh.items() if CLASS_LAYERS not in key}
    found = {
        key: value.shape
        for key, value in weights.items()
        if CLASS_LAYERS not in key and isinstance(value, torch.Tensor)
    }
    if found != ours or f"{CLASS_LAYERS}0.bias" not in weights:
        raise BadModelFile(f"{path} holds no {variant}; set `model` to the checkpoint's variant")


def _graft_class_rows(
    coco: dict[str, torch.Tensor], fresh: dict[str, torch.Tensor], classes: tuple[str, ...]
) -> dict[str, torch.Tensor]:
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
    _check_sum(path, str(path), variant)
    return path


def _fetch(release: str, variant: str, path: Path) -> None:
    """Download the release file of a variant, and keep it if it is what it should be."""
    try:
        with replacing_file(path) as unfinished:
            with unfinished.open("wb") as file:
                file.writelines(Blocks(open_folder(release), path.name).with_progress())
            _check_sum(unfinished, f"{release}/{path.name}", variant)
    except Unavailable as error:
        raise BadModelFile(
            f"{release}/{path.name}: {first_line(error)}; check train.release, or set "
            "train.pretrained to a file"
        ) from error


def _check_sum(path: Path, origin: str, variant: str) -> None:
    """Refuse a file that is not the official release file of the variant.

    `origin` is where it came from, for the error.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != RELEASE_SHA256[variant]:
        raise BadModelFile(
            f"{origin} is not the official {variant}: its SHA-256 is {found}; delete it, or give "
            "your own file as train.pretrained"
        )
