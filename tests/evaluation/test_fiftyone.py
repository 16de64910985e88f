"""Open Images' protocol against FiftyOne's, with its real database.

Without the hierarchy only: FiftyOne counts a box once over all classes, so that with it a class may
come out with an average precision of 2. And only where people labeled every class that has a box:
FiftyOne leaves out boxes of other classes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from dminity.evaluation.matches import average_precision, mean_of_known
from dminity.evaluation.openimages import Rules, match
from tests.helpers import processes
from tests.helpers.evaluation_cases import RANDOM_CLASSES, as_published, random_photos
from tests.helpers.project import environment

pytestmark = pytest.mark.slow

# In a process of its own, as for `dminity view`.
EVALUATE = """
import json, sys
from pathlib import Path
from dminity.commands.database import run_database

run_database()
import fiftyone as fo

photos = json.loads(Path("photos.json").read_text())

def box(row):
    x, y = row["xmin"], row["ymin"]
    return [x, y, row["xmax"] - x, row["ymax"] - y]

samples = []
for image_id in photos["image_ids"]:
    boxes, labels, found = (
        [row for row in photos[name] if row["image_id"] == image_id]
        for name in ("boxes", "verified", "found")
    )
    sample = fo.Sample(filepath=f"/{image_id}.jpg")
    sample["truth"] = fo.Detections(detections=[
        fo.Detection(label=row["label"], bounding_box=box(row), IsGroupOf=row["is_group_of"])
        for row in boxes
    ])
    sample["found"] = fo.Detections(detections=[
        fo.Detection(label=row["label"], bounding_box=box(row), confidence=row["score"])
        for row in found
    ])
    for name, present in (("there", True), ("absent", False)):
        sample[name] = fo.Classifications(classifications=[
            fo.Classification(label=row["label"]) for row in labels if row["present"] == present
        ])
    samples.append(sample)
dataset = fo.Dataset("evaluation")
dataset.add_samples(samples, progress=False)
results = dataset.evaluate_detections(
    "found", gt_field="truth", method="open-images", iou=0.5, classwise=True,
    classes=photos["classes"], pos_label_field="there", neg_label_field="absent",
    compute_mAP=True, progress=False,
)
print(json.dumps([results.mAP([name]) for name in photos["classes"]] + [results.mAP()]))
"""


def test_without_the_hierarchy_figures_are_those_of_fiftyone(tmp_path: Path) -> None:
    published, found = as_published(*random_photos(1, 40), RANDOM_CLASSES)
    tables = {"boxes": published.boxes, "verified": published.verified, "found": found}
    rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    names = {"image_ids": published.image_ids, "classes": RANDOM_CLASSES}
    (tmp_path / "photos.json").write_text(json.dumps(rows | names))
    done = processes.run([sys.executable, "-c", EVALUATE], tmp_path, environment())
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.strip().splitlines()[-1])
    matches = match(published, found, RANDOM_CLASSES, Rules(hierarchy=False))
    ours = average_precision(matches)[0, :, 0]
    assert (matches.positives.sum(axis=0) > 0).all()
    assert 0.2 < np.mean(ours) < 0.9
    assert theirs == pytest.approx([*ours, mean_of_known(ours)], abs=1e-6)
