"""What `auto` is in the section `train`: one recipe from scratch, one for trained weights.

The figures that they were chosen by are in docs/accuracy.md.
"""

from dminity.core.parameters import AUTO
from dminity.training.schedule import LR_BATCH
from dminity.training.settings import TrainSection, TrainSettings

# The sides that YOLOX trains its variants at, on COCO.
OFFICIAL_SIDE = 640
OFFICIAL_SIDES = {"yolox_nano": 416, "yolox_tiny": 416}
BATCH_FROM_SCRATCH = 8
# Photos that a training sees in all, and the fewest and most epochs in which it may do so: from
# scratch (15 epochs of the demo's 600 rooms), and from trained weights with few photos. With many
# trained weights take as many epochs as a start from scratch.
SEEN_FROM_SCRATCH, EPOCHS_FROM_SCRATCH = 9000, (15, 100)
SEEN_OF_FEW, EPOCHS_OF_FEW = 2500, (12, 24)
# With fewer training photos the backbone and the statistics of batch norm stay as they came; with
# fewer than these steps are shorter, too.
FEW_PHOTOS = 500
VERY_FEW_PHOTOS = 100


def epochs_of(section: TrainSection, num_photos: int) -> int:
    """The epochs of a training with so many training photos."""
    if section.epochs != AUTO:
        return section.epochs
    if section.pretrained == "none" or num_photos >= FEW_PHOTOS:
        seen, (fewest, most) = SEEN_FROM_SCRATCH, EPOCHS_FROM_SCRATCH
    else:
        seen, (fewest, most) = SEEN_OF_FEW, EPOCHS_OF_FEW
    return min(max(round(seen / num_photos), fewest), most)


def settings_of(
    section: TrainSection, variant: str, num_photos: int, side: int | None = None
) -> TrainSettings:
    """The settings of a training, with a value for each `auto`.

    Args:
        section: as params.yaml has it.
        variant: yolox_nano, yolox_tiny, yolox_s, _m, _l or _x.
        num_photos: of the training split.
        side: of the network input that the weights to start from were trained at, if it is known.
    """
    if section.pretrained == "none":
        chosen = _from_scratch(section)
    else:
        chosen = _fine_tuning(section, num_photos)
        chosen["input_size"] = side or OFFICIAL_SIDES.get(variant, OFFICIAL_SIDE)
    chosen["epochs"] = epochs_of(section, num_photos)
    written = section.model_dump()
    return TrainSettings.model_validate(
        written | {name: value for name, value in chosen.items() if written[name] == AUTO}
    )


def told(section: TrainSection, settings: TrainSettings, num_photos: int) -> str:
    """What was chosen, in a line for the log; empty if nothing was to choose."""
    written, chosen = section.model_dump(), settings.model_dump()
    values = [
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in chosen.items()
        if written[name] == AUTO != value
    ]
    start = "from scratch" if settings.pretrained == "none" else "for trained weights"
    of_photos = f"{start} and {num_photos} training photos"
    return f"train, where it says auto, {of_photos}: {', '.join(values)}" if values else ""


def _from_scratch(section: TrainSection) -> dict[str, object]:
    """Large steps from the first: there is nothing to lose."""
    photos = LR_BATCH if section.batch_size == AUTO else section.batch_size
    return {
        "input_size": 256,
        "multiscale": 0,
        "small_first": 0.33,
        "optimizer": "muon",
        # No more a step than batches of 8 take: nano did not bear it eightfold.
        "lr": 0.2 * min(1.0, BATCH_FROM_SCRATCH / photos),
        "muon_lr": 0.2,
        "freeze": 0,
        "freeze_norms": False,
        "clip": 0.0,
        "mosaic": 0.0,
    }


def _fine_tuning(section: TrainSection, num_photos: int) -> dict[str, object]:
    """What is of all photos stays, where there are few; or else all learns, as from scratch."""
    few = num_photos < FEW_PHOTOS
    optimizer = section.optimizer if section.optimizer != AUTO else "sgd" if few else "muon"
    fewer = min(1.0, num_photos / VERY_FEW_PHOTOS)
    return {
        "multiscale": 2,
        "small_first": 0.0 if few else 0.33,
        "optimizer": optimizer,
        "lr": 0.01 * fewer if few or optimizer == "sgd" else 0.05,
        "muon_lr": 0.003 * fewer if few else 0.05,
        "freeze": epochs_of(section, num_photos) if few else 0,
        "freeze_norms": few,
        "clip": 10.0 if optimizer == "sgd" else 0.0,
        "mosaic": 0.5 if few else 0.0,
    }
