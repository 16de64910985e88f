"""The mistakes of a detector in FiftyOne: a verdict of every box, the most mistaken photo first.

FiftyOne's own evaluation gives the verdicts, so that all that its App does with one works: patches,
and the panel with figures and confusion. But what COCO ignores it would count: a detection in a
crowd as right, a crowd in which nothing was found as missed. So the boxes that are marked as
ignored are kept from it, and the rest is matched as COCO does (`tests/commands/test_view.py`).
"""

from typing import TYPE_CHECKING

from dminity.commands.fiftyone_dataset import IGNORED, counting
from dminity.evaluation.verdicts import MATCH_IOU

if TYPE_CHECKING:
    import fiftyone

MOST_MISTAKEN = "most mistaken"
# By field and verdict; any eyes tell them apart (Okabe and Ito).
GRAY = "#999999"
COLORS = {
    "ground_truth": {"tp": "#56B4E9", "fn": "#CC79A7", IGNORED: GRAY},
    "predictions": {"tp": "#009E73", "fp": "#D55E00", IGNORED: GRAY},
}


def judge(dataset: "fiftyone.Dataset") -> "fiftyone.DatasetView":
    """Evaluate a dataset with predictions, and return its photos, the most mistaken first.

    Boxes get `eval`: tp, fp, fn or ignored. Photos get `eval_tp`, `eval_fp`, `eval_fn`, how many
    there are, and `mistaken`: 1 for each miss, and for each false alarm its confidence.
    """
    from fiftyone import ViewField

    judged = dataset
    for field in COLORS:
        judged = judged.filter_labels(field, ViewField("eval") != IGNORED, only_matches=False)
    with counting("view, judging", len(dataset)) as count:
        judged.evaluate_detections(
            "predictions", gt_field="ground_truth", eval_key="eval", iou=MATCH_IOU, progress=count
        )
    false_alarms = dataset.filter_labels("predictions", ViewField("eval") == "fp", False)
    confidences = false_alarms.values("predictions.detections.confidence")
    misses = dataset.values("eval_fn")
    dataset.set_values(
        "mistaken", [missed + sum(own) for missed, own in zip(misses, confidences, strict=True)]
    )
    _color(dataset)
    return _save_views(dataset)


def _save_views(dataset: "fiftyone.Dataset") -> "fiftyone.DatasetView":
    """Save views by name; return the first of them."""
    from fiftyone import ViewField

    verdict = ViewField("eval")
    surest = ViewField("predictions.detections.confidence").max()
    views = {
        MOST_MISTAKEN: dataset.sort_by("mistaken", reverse=True),
        "false alarms": dataset.filter_labels("predictions", verdict == "fp").sort_by(
            surest, reverse=True
        ),
        "misses": dataset.filter_labels("ground_truth", verdict == "fn").sort_by(
            "eval_fn", reverse=True
        ),
        "wrong class": dataset.filter_labels("predictions", ViewField("actual") != None).sort_by(  # noqa: E711
            surest, reverse=True
        ),
    }
    for name, view in views.items():
        dataset.save_view(name, view)
    return dataset.load_saved_view(MOST_MISTAKEN)


def _color(dataset: "fiftyone.Dataset") -> None:
    """Color boxes by their verdicts, and show them and the number of the order on the photos."""
    import fiftyone as fo

    fields = [
        {
            "path": field,
            "colorByAttribute": "eval",
            "valueColors": [{"value": value, "color": color} for value, color in colors.items()],
        }
        for field, colors in COLORS.items()
    ]
    dataset.app_config.color_scheme = fo.ColorScheme(color_by="value", fields=fields)
    dataset.app_config.active_fields = fo.ActiveFields(paths=[*COLORS, "mistaken"])
    dataset.save()
