"""The state of a training in a file that survives anything, and what may resume it.

A checkpoint belongs to the parameters, the photos and their boxes that it was made with. They are
hashed into a fingerprint, which names its folder and stands in the file.
"""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from dminity.core.ending import refused
from dminity.core.errors import DminityError
from dminity.core.files import replacing_file
from dminity.core.progress import Progress
from dminity.data import voc
from dminity.network.detector import BadModelFile, read_checkpoint
from dminity.training.settings import TrainSettings

CHECKPOINT = "last.ckpt"
FINGERPRINT_DIGITS = 16
PACKAGE = Path(__file__).parents[1]
# What dvc.yaml says that the stage depends on (a test compares).
CODE = (
    "__init__.py", "core", "data/voc.py", "detection", "evaluation/coco.py",
    "evaluation/matches.py", "evaluation/overlaps.py", "loader", "network", "remote",
    "stages/train.py", "training",
)  # fmt: skip
LIBRARIES = (
    "torch", "torchvision", "lightning", "pixeltable-yolox", "opencv-python-headless", "numpy",
)  # fmt: skip
# What decides how fast a run is and what it shows on the way, and nothing of its result.
NOT_IN_THE_RESULT = {
    "release", "devices", "num_nodes", "workers", "cache_gb", "pictures_every", "tensorboard",
}  # fmt: skip


class NotSaved(DminityError):
    """The state of a training could not be written; the last epoch that could be is kept."""

    def __init__(self, what: str, error: Exception) -> None:
        reason = (isinstance(error, OSError) and refused(error)) or error
        super().__init__(
            f"{what} could not be saved ({reason}); the epochs before are kept: run it again to "
            "resume there"
        )


class ForeignCheckpoint(DminityError):
    """A checkpoint is of other parameters or data than the run that would resume it."""


def fingerprint(
    settings: TrainSettings,
    variant: str,
    classes: tuple[str, ...],
    kinds: tuple[tuple[int, int], ...],
    folder: Path,
) -> str:
    """What decides the weights that a run ends with, but for the machine, as hex digits.

    Hashes the parameters, the classes and their kinds (as `network.head` has them), the weights to
    start from, the detector of pseudo-labels, the annotations and photos of the training and
    validation splits of a VOC folder, and the code of this package that trains.
    """
    digest = hashlib.blake2b(digest_size=FINGERPRINT_DIGITS // 2)
    digest.update(settings.model_dump_json(exclude=NOT_IN_THE_RESULT).encode())
    digest.update(repr((variant, classes, kinds)).encode())
    digest.update(repr([(name, version(name)) for name in LIBRARIES]).encode())
    paths = [Path(settings.pretrained), Path(settings.pseudo_labels), *_own_code()]
    for split in ("train", "validation"):
        paths.append(voc.split_path(folder, split))
        for image_id in voc.read_ids(folder, split):
            paths += [voc.annotation_path(folder, image_id), voc.photo_path(folder, image_id)]
    for path in Progress("fingerprint", paths, len(paths), unit="file"):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(path.name.encode())
                digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def _own_code() -> list[Path]:
    """The files of this package that decide the result of a training."""
    places = [PACKAGE / name for name in CODE]
    files = [[place] if place.is_file() else place.rglob("*.py") for place in places]
    return sorted(path for found in files for path in found)


class SafeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are on the disk before they replace the last one, and that hold no code."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write, flush to the disk, rename.

        Raises:
            NotSaved: if that fails; the last checkpoint is as it was.
        """
        try:
            with replacing_file(Path(path)) as unfinished, unfinished.open("wb") as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:
            raise NotSaved(str(path), error) from error

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read a checkpoint without running code from it.

        Raises:
            BadModelFile: if it is none of a training.
        """
        mend = f"delete the folder {Path(path).parent} to begin anew"
        checkpoint = read_checkpoint(Path(path), mend)
        if "fingerprint" not in checkpoint:
            raise BadModelFile(f"{path} holds no state of a training; {mend}")
        return checkpoint
