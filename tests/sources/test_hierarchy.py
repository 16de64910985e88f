"""From Open Images' own files to its figures: what the index keeps is all that its rules want."""

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dminity.core import hierarchy
from dminity.core.amenities import AMENITIES, NAMES
from dminity.data import naming
from dminity.evaluation import openimages
from dminity.evaluation.matches import average_precision, mean_of_known
from dminity.sources.openimages import BOXES_CSV, CLASSES_CSV, LABELS_CSV, OpenImages
from dminity.sources.settings import OpenImagesSettings
from tests.helpers.evaluation_vectors import FILES, Vector, needs_vectors, read_vector
from tests.helpers.mirror import COLUMNS, REAL_MIRROR, box_line

PUBLISHED = REAL_MIRROR / "openimages/2018_04/bbox_labels_600_hierarchy.json"
CODES = {item.name: item.code for item in AMENITIES} | hierarchy.CODE_OF_OTHERS
RANDOM = ("openimages_01", "openimages_02", "openimages_03")
TOLERANCE = 1e-6


def write_mirror(folder: Path, vector: Vector) -> dict[str, str]:
    """The photos of a case as Open Images would publish them; the image id of each."""
    photos = vector.content["photos"]
    ids = {photo["id"]: f"{number:016x}" for number, photo in enumerate(photos)}
    boxes, labels = [COLUMNS], ["ImageID,Source,LabelName,Confidence"]
    for photo in photos:
        for box in photo["boxes"]:
            corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), box["box"], strict=True))
            said = corners | {"is_group_of": box["group"]}
            boxes.append(box_line(ids[photo["id"]], CODES[box["class"]], said))
        labels += [
            f"{ids[photo['id']]},verification,{CODES[label['class']]},{label['confidence']}"
            for label in photo["labels"]
        ]
    for name, lines in ((BOXES_CSV["test"], boxes), (LABELS_CSV["test"], labels)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(lines) + "\n")
    with (folder / CLASSES_CSV).open("w", newline="") as file:
        csv.writer(file).writerows((code, name) for name, code in CODES.items())
    return ids


def published(folder: Path, image_ids: tuple[str, ...], with_hierarchy: bool) -> Any:
    """What the index would keep of a mirror's test photos."""
    addresses = OpenImagesSettings(
        annotations=str(folder), images="/nowhere", s3_endpoint="http://0.0.0.0", partial=True
    )
    source = OpenImages(addresses).annotations("test", folder / "work")
    return openimages.Published(
        image_ids,
        naming.named(source.boxes, NAMES, with_hierarchy),
        naming.answers(source.verified, with_hierarchy),
    )


# One question each of boxes, labels and their directions; photos of all 30 classes at random.
@needs_vectors
@pytest.mark.parametrize("given", ["flat", "hierarchy"])
@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.stem in RANDOM or "14" <= path.stem[:2] <= "29"],
    ids=lambda path: path.stem,
)
def test_a_mirror_gives_the_figures_of_the_reference(
    tmp_path: Path, path: Path, given: str
) -> None:
    vector = read_vector(path)
    ids = write_mirror(tmp_path, vector)
    kept = published(tmp_path, tuple(ids.values()), given == "hierarchy")
    table = vector.table.assign(image_id=vector.table["image_id"].map(ids))
    for name, (weight, verified) in {
        "challenge_w1": (1, True),
        "challenge_w0": (0, True),
        "v2_w1": (1, False),
    }.items():
        rules = openimages.Rules(weight, verified, given == "hierarchy")  # type: ignore[arg-type]
        matches = openimages.match(kept, table, vector.classes, rules)
        expected = vector.content["expected"]["openimages"][given][name]["mean_ap"]
        found = mean_of_known(average_precision(matches)[0, :, 0])
        assert pd.isna(found) if expected is None else abs(found - expected) <= TOLERANCE


def descendants(node: dict[str, Any]) -> set[str]:
    """The codes below a node of the published file."""
    below = node.get("Subcategory", [])
    return {child["LabelName"] for child in below}.union(*map(descendants, below))


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A node of the published file and all below it."""
    return [node] + [found for child in node.get("Subcategory", []) for found in nodes(child)]


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED} is not there")
def test_no_relation_of_an_amenity_is_left_out() -> None:
    root, *below = nodes(json.loads(PUBLISHED.read_text()))
    assert root["LabelName"] == "/m/0bl9f", "all is an Entity"
    names = {code: name for name, code in CODES.items()}
    for node in below:
        concerned = descendants(node) & {item.code for item in AMENITIES}
        if concerned or node["LabelName"] in {item.code for item in AMENITIES}:
            name = names[node["LabelName"]]
            kinds = {names[code] for code in descendants(node) if code in names}
            assert set(hierarchy.with_descendants(name)) == {name} | kinds


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED} is not there")
def test_codes_are_the_published_ones() -> None:
    with (REAL_MIRROR / "openimages" / CLASSES_CSV).open(newline="") as file:
        assert {code: name for name, code in CODES.items()}.items() <= dict(
            csv.reader(file)
        ).items()
