"""metrics/report.html: how good a detector is, where it fails, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from dminity.core.splits import SPLITS
from dminity.detection.detections import SHOWN_SCORE
from dminity.evaluation.calibration import expected_error
from dminity.evaluation.confusion import NOTHING
from dminity.evaluation.errors import Kind
from dminity.evaluation.failures import Failures
from dminity.evaluation.presence import LEAST_PHOTOS
from dminity.report import detector_charts as charts
from dminity.report.page import (
    Cell,
    KeyFigure,
    Photo,
    Section,
    decimals,
    figure,
    frame_table,
    interval,
    key_figures,
    paragraph,
    photos,
    side_by_side,
    small_charts,
    table,
    write_page,
)
from dminity.report.recorded import Recorded

MOST_CONFUSED = 10
CLASS_FIGURES = ("coco.AP50", "coco.AP", "openimages.AP50")
WHAT_IT_IS = {
    Kind.CLASS: "the box is right, the class is not",
    Kind.BOX: "the class is right, the box too far off (IoU from 0.1 to 0.5)",
    Kind.BOTH: "neither is, and something is there",
    Kind.DUPLICATE: "found already, by a better score",
    Kind.BACKGROUND: "nothing of the classes is there",
    Kind.MISSED: "nothing found it, nor would one of the first two kinds when mended",
}
# What metrics/check.json calls by a word.
CHECKS = {
    "imbalance": "training boxes of the commonest class for one of the rarest",
    "groups": "share of published boxes that are groups",
    "small": "share of boxes below 32 by 32 pixels",
    "medium": "share of boxes from there to 96 by 96",
    "large": "share of larger boxes",
}
COLORS = "White boxes are what is there, orange ones what was found wrongly"


@dataclass(frozen=True)
class Pictures:
    """Photos with boxes, by the name of their file."""

    false_alarms: dict[str, Photo]
    misses: dict[str, Photo]
    classes: dict[str, Photo]

    def all(self) -> dict[str, Photo]:
        """All of them."""
        return self.false_alarms | self.misses | self.classes


def write_detector_page(
    path: Path, variant: str, recorded: Recorded, failures: Failures, pictures: Pictures
) -> None:
    """Write the page, whole or not at all."""
    sections = [
        _decision(recorded),
        _classes(recorded),
        _curves(recorded, failures),
        _confusion(recorded),
        _errors(failures),
        _calibration(failures),
        _difficulty(failures),
        *_pictures(pictures),
        _data(recorded),
        _cost(recorded),
    ]
    subtitle = (
        f"{variant}, {len(recorded.per_class)} classes, on {recorded.evaluate.get('images', 0)} "
        "photos of the test split"
    )
    write_page(path, "How good the detector is, and where it fails", subtitle, sections)


def _decision(recorded: Recorded) -> Section:
    """The figures of each protocol, of presence, and of cost."""
    shown = [
        KeyFigure(
            f"{title} {name}", decimals(found.value), interval(found) or "nothing to be found"
        )
        for title, protocol, name in (
            ("COCO", "coco", "AP"),
            ("COCO", "coco", "AP50"),
            ("Pascal VOC", "voc", "AP50"),
            ("Open Images", "openimages", "AP50"),
        )
        for found in [recorded.estimate(protocol, name)]
    ]
    shown += [
        KeyFigure(
            "Presence precision",
            decimals(recorded.presence.get("precision")),
            "“this photo shows one” is right",
        ),
        KeyFigure(
            "Presence recall",
            decimals(recorded.presence.get("recall")),
            "of photos that show one, it is said",
        ),
        KeyFigure("model.onnx", f"{recorded.export['model']['size_mb']:.2f} MB", "on the disk"),
    ]
    if spent := recorded.export_cost:
        note = f"median, {spent['threads']} threads" + (", busy machine" if spent["busy"] else "")
        shown.append(KeyFigure("One photo", f"{spent['model']['median_ms']:.1f} ms", note))
    explanation = (
        "Below a figure are the ends of its interval of 95 %: where it would lie with other photos "
        "like these. Another training of the same recipe may differ by more."
    )
    return Section("Figures to decide by", explanation, key_figures(shown))


def _classes(recorded: Recorded) -> Section:
    """A row per class, the weakest first."""
    weakest_first = recorded.per_class.sort_values("coco.AP50", kind="stable")
    counts = weakest_first[["boxes", "photos"]].astype(object).to_numpy().tolist()
    rows: list[Sequence[Cell]] = []
    for name, (boxes, shown_in) in zip(weakest_first.index, counts, strict=True):
        present = recorded.presence.get("per_class", {}).get(name, {})
        rows.append(
            [
                name,
                recorded.boxes(name, "train"),
                boxes,
                shown_in,
                *(recorded.of_class(name, each) for each in CLASS_FIGURES),
                *(present.get(each) for each in ("threshold", "precision", "recall")),
            ]
        )
    columns = ["class", "training boxes", "test boxes", "test photos", "COCO AP50", "COCO AP"]
    columns += ["Open Images AP50", "threshold", "presence precision", "presence recall"]
    explanation = (
        "The weakest first. Few boxes make a wide interval, and two classes differ where theirs "
        "are apart. From the threshold on it is said that a photo shows one; presence tells how "
        "often that is right, and of how many photos that do it is said. Classes that fewer than "
        f"{LEAST_PHOTOS} validation photos show share a threshold."
    )
    body = table("Test split, by class, with intervals of 95 %", columns, rows)
    return Section("Each class", explanation, body)


def _curves(recorded: Recorded, failures: Failures) -> Section:
    """A small chart for each class."""
    mean = failures.curves.groupby("recall")["precision"].mean().reset_index()
    shown = []
    for name in failures.curves["class"].unique():
        curve = failures.curves[failures.curves["class"] == name]
        ap50 = recorded.of_class(name, "coco.AP50").value
        shown.append((charts.curve_of_class(curve, mean), f"{name} {decimals(ap50)}"))
    explanation = (
        "Precision (upwards) over recall: a curve begins at the highest scores and adds ever lower "
        "ones. It falls with false alarms and ends where the rest is missed. Gray is the mean of "
        "all classes, the number is COCO's AP50."
    )
    body = small_charts(shown) if shown else paragraph("No class has a box.")
    return Section("Precision and recall", explanation, body)


def _confusion(recorded: Recorded) -> Section:
    """The matrix, and the pairs that are confused most often."""
    explanation = (
        f"A row is what is there, a column what was found with a score of {SHOWN_SCORE} or more. "
        f"The diagonal is right. The row “{NOTHING}” are false alarms, the column “{NOTHING}” is "
        "what was missed. A square is the stronger, the larger its share of the row."
    )
    pairs = recorded.confusion
    if pairs.empty:
        return Section(
            "Confusion", explanation, paragraph("Nothing was found, and nothing is there.")
        )
    seen = {*pairs["actual"], *pairs["predicted"]}
    names = [name for name in [*recorded.per_class.index, NOTHING] if name in seen]
    matrix = pd.crosstab(pairs["actual"], pairs["predicted"])
    matrix = matrix.reindex(index=names, columns=names, fill_value=0)
    wrong = pairs[(pairs["actual"] != pairs["predicted"]) & ~(pairs == NOTHING).any(axis=1)]
    often = wrong.value_counts().head(MOST_CONFUSED).reset_index()
    body = figure(
        charts.confusion_matrix(matrix),
        "Confusion matrix: what is there against what was found",
        "Numbers are boxes, and false alarms in the last row.",
    )
    if len(often):
        columns = ["there", "found", "times"]
        body += frame_table("Taken for another class most often", columns, often)
    return Section("Confusion", explanation, body)


def _errors(failures: Failures) -> Section:
    """Kinds of errors."""
    found = failures.errors
    told = found.copy()
    told.insert(1, "what it is", [WHAT_IT_IS[Kind(kind)] for kind in found["error"]])
    columns = ["kind", "what it is", f"score from {SHOWN_SCORE}", "any score", "gain of AP50"]
    explanation = (
        "Every wrong detection is of one kind. A bar is what AP50 would gain if that kind did not "
        "happen: mend first what gains most. The kinds are those of TIDE (Bolya et al., 2020)."
    )
    chart = figure(
        charts.gains(found),
        "Gain of AP50 by kind of error: " + _listed(found["error"], found["gain"]),
        "Gains do not add up: one error may hide another.",
    )
    body = chart + frame_table("How many there are, by score", columns, told)
    return Section("Kinds of errors", explanation, body)


def _calibration(failures: Failures) -> Section:
    """Scores against shares of right ones."""
    found = failures.calibration
    explanation = (
        "On the line a score is what it says: of detections of 0.8, 8 in 10 are right. Above it "
        "the detector is too modest, below it too sure. Bars are intervals of 95 %."
    )
    if found.empty:
        return Section("What a score means", explanation, paragraph("Nothing was found."))
    shown = found[found["from"] >= SHOWN_SCORE]
    ends = zip(found["from"], found["to"], strict=True)
    text = (
        "Expected calibration error, the mean distance from the line over detections: "
        f"{decimals(expected_error(found))}; of those from a score of {SHOWN_SCORE} on "
        f"{decimals(expected_error(shown))}."
    )
    told = found.drop(columns=["from", "to"])
    told.insert(0, "scores", [f"{low:.1f} to {high:.1f}" for low, high in ends])
    columns = ["scores", "detections", "mean score", "share right", "from", "to"]
    chart = figure(
        charts.reliability(found), "Share of right detections over their score", "IoU 0.50."
    )
    body = chart + paragraph(text) + frame_table("Scores by tenths", columns, told)
    return Section("What a score means", explanation, body)


def _difficulty(failures: Failures) -> Section:
    """Sizes, crowding and flags."""
    groups = (
        (failures.size, "side of the box"),
        (failures.crowding, "boxes in the photo"),
        (failures.flags, "what the data say of the box"),
    )
    explanation = (
        f"Recall is the share of boxes found with a score of {SHOWN_SCORE} or more. The side is "
        "that of a square of the box's area, in pixels of the photo as it was trained with. AP50 "
        "is a mean of the classes that a group has, so compare groups by their recall."
    )
    drawn = [
        figure(
            charts.recalls(found, name),
            f"Recall by {name}: " + _listed(found["group"], found["recall"]),
            "",
        )
        for found, name in groups
        if not found.empty
    ]
    if not drawn:
        return Section("Size and crowding", explanation, paragraph("There is no box."))
    body = side_by_side(drawn)
    for found, name in groups[:2]:
        columns = [name, "photos", "boxes", "recall", "COCO AP50"]
        body += frame_table(f"By {name}", columns, found)
    return Section("Size and crowding", explanation, body)


def _listed(names: "pd.Series[str]", values: "pd.Series[float]") -> str:
    """Names with their figures, for who cannot see a chart."""
    return ", ".join(f"{name} {decimals(value)}" for name, value in zip(names, values, strict=True))


def _pictures(pictures: Pictures) -> list[Section]:
    """Three sections of photos."""
    return [
        Section(
            "Worst false alarms",
            "The wrong detections of the highest scores in the test split, with what is there at "
            f"their place. {COLORS}.",
            _photos(pictures.false_alarms, f"No detection from {SHOWN_SCORE} on is wrong."),
        ),
        Section(
            "Worst misses",
            f"The largest boxes of the test split that nothing from a score of {SHOWN_SCORE} on "
            f"found, with wrong detections at their place. {COLORS}.",
            _photos(pictures.misses, "Nothing is missed."),
        ),
        Section(
            "One photo of each class",
            "The first photo of the validation split that shows one and no class before it: "
            "neither the best nor the worst. Boxes are those of the class, found by model.onnx "
            f"with a score of {SHOWN_SCORE} or more. {COLORS}, blue ones rightly.",
            _photos(pictures.classes, "The validation split shows none."),
        ),
    ]


def _photos(shown: Mapping[str, Photo], otherwise: str) -> Markup:
    """Photos, or why there are none."""
    return photos(list(shown.values())) if shown else paragraph(otherwise)


def _data(recorded: Recorded) -> Section:
    """What it was trained and tested on."""
    explanation = (
        "What training and evaluation had. The command dminity check lists faults one by one."
    )
    body = Markup("")
    if data := recorded.data:
        rows: list[Sequence[Cell]] = [
            [split, data["images"].get(split, 0), data["boxes"].get(split, 0)] for split in SPLITS
        ]
        body += table("Photos and boxes", ["split", "photos", "boxes"], rows)
    else:
        body += paragraph("metrics/data.json is not there: run dvc repro merge.")
    if check := recorded.check:
        found: list[Sequence[Cell]] = [
            [CHECKS.get(name, name.replace("_", " ")), value] for name, value in check.items()
        ]
        body += table("Checks", ["what", "value"], found)
    else:
        body += paragraph("metrics/check.json is not there: run dvc repro check.")
    return Section("Data", explanation, body)


def _cost(recorded: Recorded) -> Section:
    """Files, arithmetic and milliseconds."""
    spent = recorded.export_cost
    rows: list[Sequence[Cell]] = [
        [
            f"{name}.onnx",
            float(found["size_mb"]),
            *(found["coco"][each] for each in ("AP", "AP50")),
            *(found[each] for each in ("presence_precision", "presence_recall")),
            *(spent.get(name, {}).get(each) for each in ("median_ms", "p95_ms")),
        ]
        for name, found in recorded.export.items()
        if isinstance(found, dict)
    ]
    columns = ["file", "MB", "COCO AP", "COCO AP50", "presence precision", "presence recall"]
    columns += ["median ms", "95 % below, ms"]
    explanation = (
        "Milliseconds are from a photo in memory to its boxes, one photo at a time, with ONNX "
        "Runtime on the processor of the machine that wrote this: compare them within this table."
    )
    size = (
        f"{recorded.evaluate['params_m']:.2f} million parameters, "
        f"{recorded.evaluate['gflops']:.2f} GFLOPs for a photo."
    )
    if spent.get("busy"):
        size += " The machine was busy with other programs, so that the milliseconds are too many."
    return Section("Cost", explanation, paragraph(size) + table("Files", columns, rows))
