"""models/CARD.md: what a detector is, what it was made of, how good it is, and what it cannot do.

The front matter is that of Hugging Face's model cards
(https://huggingface.co/docs/hub/model-cards). The text is the same for the same files and figures:
milliseconds and dates, which differ with every run, are not in it.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from dminity.evaluation.failures import Failures
from dminity.evaluation.presence import LEAST_PHOTOS, NEVER
from dminity.report import markdown
from dminity.report.page import as_text, decimals
from dminity.report.recorded import Recorded
from dminity.runtime.model_file import Description

WEAKEST = 3
PROTOCOLS = (
    ("coco", "AP", "COCO AP (IoU 0.50 to 0.95)"),
    ("coco", "AP50", "COCO AP50"),
    ("voc", "AP50", "Pascal VOC AP50 (all points)"),
    ("openimages", "AP50", "Open Images AP50 (challenge rules since 2018)"),
)
DATA_OF = {
    "demo": "rooms rendered by Dminity",
    "openimages": "Open Images V7",
}
LICENSES = {
    "demo": (
        "Rooms that the project renders itself, with their boxes: Apache-2.0, as the code. No "
        "photo of a home is among them."
    ),
    "openimages": (
        "[Open Images V7](https://storage.googleapis.com/openimages/web/index.html). The "
        "annotations are licensed by Google LLC under CC BY 4.0. The photos are listed by their "
        "authors as CC BY 2.0; nobody warrants that, so verify the license of each photo that you "
        "show."
    ),
}
LIMITS_OF_DATA = {
    "demo": (
        "**It has seen drawn rooms only, and is a demonstration.** Its figures say that the "
        "pipeline works and compare recipes; they say nothing about photos of homes. One that was "
        "tried on 51 of those was useless: a COCO AP50 of 0.003, and of 168 boxes none was right. "
        "Train with `source: openimages` for those."
    ),
    "openimages": (
        "Its photos are those that people put on the web: what estate agents, or cameras of other "
        "times and countries, take may look otherwise. Try it on some of your own first."
    ),
}
USE = """```sh
dminity predict photos --model models/model.onnx   # boxes: a table, --json, --csv, --coco, --save
dminity listing home --model models/model.onnx     # what a home has, with the evidence
```

`model-nms.onnx` gives final boxes in any ONNX runtime, `model-int8.onnx` is the smallest. Classes,
input size and thresholds are in the metadata of each file; `docs/product.md` says what goes in and
comes out."""


@dataclass(frozen=True)
class Recipe:
    """What a detector was made with, in the words of params.yaml.

    precision: that of presence on the validation split, which thresholds are chosen for.
    """

    source: str
    pretrained: str
    pseudo_labels: str
    epochs: int
    precision: float


def model_card(
    description: Description,
    recipe: Recipe,
    recorded: Recorded,
    failures: Failures,
    files: Sequence[Path],
) -> str:
    """The card as Markdown."""
    parts = [
        _front_matter(description, recipe, recorded),
        f"# Home amenity detector, {description.variant}\n\nFinds {len(description.classes)} kinds "
        f"of home amenities in photos: a box, a class and a score each. "
        f"{recorded.evaluate['params_m']:.2f} million parameters, "
        f"{recorded.evaluate['gflops']:.2f} GFLOPs for a photo of at most "
        f"{' by '.join(map(str, description.input_size))} pixels.",
        f"## How good it is\n\n{_figures(recorded)}",
        f"## Classes\n\n{_classes(description, recipe, recorded)}",
        f"## What it was made of\n\n{_made_of(description, recipe, recorded)}",
        f"## What it cannot do\n\n{_limits(description, recipe, recorded, failures)}",
        f"## Files\n\n{_files(files)}",
        f"## How to use it\n\n{USE}",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(description: Description, recipe: Recipe, recorded: Recorded) -> str:
    """What programs read of a card."""
    figures = [
        {"type": name, "name": title, "value": float(found.value)}
        for protocol, name, title in PROTOCOLS
        for found in [recorded.estimate(protocol, name)]
        if found.value == found.value
    ]
    data = {"type": recipe.source, "name": DATA_OF[recipe.source], "split": "test"}
    result = {"task": {"type": "object-detection"}, "dataset": data, "metrics": figures}
    content: dict[str, Any] = {
        "license": "apache-2.0",
        "library_name": "onnx",
        "pipeline_tag": "object-detection",
        "tags": ["object-detection", "yolox", description.variant, "home-amenities"],
        "model-index": [{"name": f"dminity-{description.variant}", "results": [result]}],
    }
    text = io.StringIO()
    YAML().dump(content, text)
    return f"---\n{text.getvalue()}---"


def _figures(recorded: Recorded) -> str:
    """A row per protocol."""
    rows = [
        [title, as_text(recorded.estimate(protocol, name))] for protocol, name, title in PROTOCOLS
    ]
    presence = recorded.presence
    said, shown = decimals(presence.get("precision")), decimals(presence.get("recall"))
    return (
        f"{_table(['figure', 'value, with its interval of 95 %'], rows)}\n\n"
        f"On {recorded.evaluate['images']} photos of the test split. The interval is what the "
        "figure would be with other photos like these; another training may differ by more. That "
        f"a photo shows an amenity is right in {said} of the photos of which it is said, and said "
        f"of {shown} of those that show it. `metrics/report.html` tells where it fails."
    )


def _classes(description: Description, recipe: Recipe, recorded: Recorded) -> str:
    """A row per class, with its threshold."""
    rows = []
    for name, threshold in zip(description.classes, description.thresholds, strict=True):
        present = recorded.presence.get("per_class", {}).get(name, {})
        rows.append(
            [
                name,
                f"{threshold:.2f}" if threshold < NEVER else "never said",
                *(decimals(present.get(each)) for each in ("precision", "recall")),
                as_text(recorded.of_class(name, "coco.AP50")),
                as_text(recorded.of_class(name, "coco.AP")),
                str(recorded.per_class.at[name, "boxes"]),
            ]
        )
    columns = ["class", "threshold", "presence precision", "presence recall"]
    columns += ["COCO AP50", "COCO AP", "test boxes"]
    return (
        f"{_table(columns, rows)}\n\n"
        "A threshold is the score from which it is said that a photo shows one: the lowest from "
        f"which that was right in {recipe.precision:.0%} of the validation photos of which it was "
        f"said. Classes that fewer than {LEAST_PHOTOS} validation photos show have that of all "
        "classes together."
    )


def _made_of(description: Description, recipe: Recipe, recorded: Recorded) -> str:
    """Data, their licenses, and how it was trained."""
    counts = recorded.data.get("images", {})
    photos = ", ".join(f"{number:,} for {split}" for split, number in counts.items())
    start = {
        "none": "It was trained from scratch",
        "coco": (
            f"It started from YOLOX's official weights of {description.variant} (Apache-2.0), "
            "which were trained on COCO 2017 (annotations CC BY 4.0, photos under Flickr's terms), "
            "and was trained"
        ),
    }.get(
        recipe.pretrained,
        f"It started from the checkpoint `{recipe.pretrained}`, of which this card does not know "
        "data or license, and was trained",
    )
    more = ""
    if recipe.pseudo_labels != "none":
        more = (
            "- Pseudo-labels: of classes that nobody looked for in a training photo, it learned "
            f"from what the detector `{recipe.pseudo_labels}` found there.\n"
        )
    return (
        f"- Data: {LICENSES[recipe.source]}\n"
        f"- Photos: {photos or 'not counted'}.\n{more}"
        f"- {start} for {recipe.epochs} epochs, by Dminity, whose code is Apache-2.0, with the "
        "network and losses of [YOLOX](https://github.com/Megvii-BaseDetection/YOLOX) "
        "(Apache-2.0)."
    )


def _limits(
    description: Description, recipe: Recipe, recorded: Recorded, failures: Failures
) -> str:
    """What is known to go wrong."""
    per_class = recorded.per_class.dropna(subset=["coco.AP50"])
    weakest = per_class.nsmallest(WEAKEST, "coco.AP50").index
    few = per_class.index[per_class["photos"] < LEAST_PHOTOS]
    never = [
        name
        for name, threshold in zip(description.classes, description.thresholds, strict=True)
        if threshold >= NEVER
    ]
    limits = [
        LIMITS_OF_DATA[recipe.source],
        f"It knows its {len(description.classes)} classes and nothing else.",
        "That it finds nothing is no proof that nothing is there.",
        *_recalls("By size, it finds", failures.size, "of boxes of {}"),
        *_recalls("It finds", failures.flags, "of boxes that are {}"),
    ]
    for names, text in (
        (list(weakest), "Weakest are {}."),
        (list(few), f"Fewer than {LEAST_PHOTOS} test photos show {{}}: their figures say little."),
        (never, "No score is right often enough to say that a photo shows {}."),
    ):
        if names:
            limits.append(text.format(", ".join(names)))
    return "\n".join(f"- {limit}" for limit in limits)


def _recalls(begin: str, table: pd.DataFrame, group: str) -> list[str]:
    """A sentence about the recall of groups; none if there are none."""
    parts = [
        f"{share:.0%} {group.format(name)}"
        for name, share in zip(table["group"], table["recall"], strict=True)
    ]
    return [f"{begin} {', '.join(parts)}."] if parts else []


def _files(files: Sequence[Path]) -> str:
    """A row per file."""
    rows = []
    for path in files:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        rows.append([f"`{path.name}`", f"{path.stat().st_size:,}", f"`{digest}`"])
    return _table(["file", "bytes", "SHA-256"], rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; what follows the first column are numbers."""
    return markdown.table(columns, rows, [False] + [True] * (len(columns) - 1))
