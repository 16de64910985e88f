"""What the photos can teach and tell, as notes before a training starts."""

from collections import Counter

from dminity.core.errors import some
from dminity.core.progress import note
from dminity.data.voc import Annotation

# Fewer steps leave a network, and still more its moving average, near where it began.
FEWEST_STEPS = 100
SHOWN_CLASSES = 5
# Of a split without a box, and of a class without one in it.
CONSEQUENCES = {
    "train": (
        "nothing can be learned from them",
        "that cannot be learned; either the source has none, or `marked` drops or ignores them",
    ),
    "validation": (
        "AP cannot tell weights apart, and the last epoch's are delivered",
        "the best epoch is chosen without them",
    ),
    "test": ("its AP will be 0", "its AP leaves them out"),
}


def counted(annotations: list[Annotation]) -> Counter[str]:
    """How many boxes of each class count: the `difficult` ones do not."""
    return Counter(
        item.label for photo in annotations for item in photo.objects if not item.difficult
    )


def note_gaps(boxes: dict[str, Counter[str]], classes: tuple[str, ...]) -> None:
    """Say which splits, and which classes in them, have no box that counts.

    Args:
        boxes: of each split that there is, how many boxes of each class count.
        classes: the names of the classes.
    """
    for split, counts in boxes.items():
        empty = [name for name in classes if not counts[name]]
        if not counts:
            note(f"no box counts in the {split} photos: {CONSEQUENCES[split][0]}")
        elif empty:
            shown = some(empty, SHOWN_CLASSES)
            note(f"no box of {shown} counts in the {split} photos: {CONSEQUENCES[split][1]}")


def note_few_steps(photos: int, steps: int) -> None:
    """Say that a training of so many photos and steps is too short to learn from, if it is."""
    if steps < FEWEST_STEPS:
        note(
            f"{photos} training photos make {steps} steps in all, too few to learn from: add "
            "photos, or raise train.epochs"
        )
