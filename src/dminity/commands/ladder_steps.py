"""The project's own ladder: from one class to all, and from a small network to larger ones.

A step names only what it changes: whatever else is as in params.yaml, the source too. The larger
variants, yolox_m, yolox_l and yolox_x, want a GPU: add a line for each to `variants`.
"""

from dataclasses import dataclass

from dminity.core.amenities import buckets


@dataclass(frozen=True)
class Step:
    """Experiments that answer a question.

    question: in a sentence. experiments: what each changes of params.yaml, by its name, as
    `dvc exp run -S` takes it.
    """

    question: str
    experiments: dict[str, tuple[str, ...]]


_FIRST_TEN = ",".join(f'"{name}"' for name in buckets()["01-10"])

STEPS = {
    "bathtub": Step(
        "Does a detector of one class find it better than a detector of all?",
        {"bathtub": ("classes=[Bathtub]",)},
    ),
    "ten-classes": Step(
        "Does a detector of ten classes find them better than a detector of all?",
        {"ten-classes": (f"classes=[{_FIRST_TEN}]",)},
    ),
    "thirty-classes-200": Step(
        "What do 200 photos of each class and split give?",
        {"thirty-classes-200": ("classes=all", "limit_per_class=200")},
    ),
    "full": Step(
        "What do all photos give, beyond 200 of each class and split?",
        {"full": ("classes=all", "limit_per_class=0")},
    ),
    "variants": Step(
        "What does a larger network find more, and what does it cost?",
        {
            "variants-yolox_nano": ("model=yolox_nano",),
            "variants-yolox_tiny": ("model=yolox_tiny",),
            "variants-yolox_s": ("model=yolox_s",),
        },
    ),
}
