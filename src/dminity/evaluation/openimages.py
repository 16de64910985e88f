"""Average precision by Open Images' protocol: that of its challenges since 2018 (V4 and later).

IoU 0.5, the whole area under the curve. Beside Pascal VOC's rules:
- A box is a box of all that its class is a kind of. People's labels "it is there" go up likewise,
  labels "it is not there" go down.
- A detection of a class that nobody looked for in the photo is left out. What people looked for is
  known from labels, whatever they say, and from boxes.
- A group (one box around five things or more) is found by a detection of which half lies in it, and
  counts once; further detections in it are neither right nor wrong.

https://storage.googleapis.com/openimages/web/evaluation.html. Where the reference
(tensorflow/models, object_detection) does other than the text says, as with IoU 0.5 exactly, this
does as the reference; but detections of equal score stand in one order here, in two there.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.core.hierarchy import with_ancestors, with_descendants
from dminity.data.tables import CORNERS
from dminity.evaluation.matches import Matches
from dminity.evaluation.overlaps import (
    FoundBoxes,
    Pairs,
    TrueBoxes,
    best_pairs,
    ious,
    overlapping,
    ranked,
    ranks,
    shares,
)

LEAST_IOU = 0.5
LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Rules:
    """What of the protocol has changed over the years, and is often mixed up.

    group_weight: 1, a group is one thing to be found; 0, it is none, as until 2017. verified_only:
    a detection of what nobody looked for is left out; else it is wrong, as until 2017. hierarchy:
    boxes and labels go up and down the classes; else they stay as they are.
    """

    group_weight: Literal[0, 1] = 1
    verified_only: bool = True
    hierarchy: bool = True


CHALLENGE = Rules()


@dataclass(frozen=True)
class Published:
    """What Open Images says of some photos.

    image_ids: the photos. boxes: a table with the columns `image_id`, `label`, corners from 0 to 1
    and `is_group_of`. verified: one with `image_id`, `label` and `present`. Of any class, and of
    any photos.
    """

    image_ids: tuple[str, ...]
    boxes: pd.DataFrame
    verified: pd.DataFrame


def match(
    published: Published,
    detections: pd.DataFrame,
    classes: tuple[str, ...],
    rules: Rules = CHALLENGE,
) -> Matches:
    """Which detections are right.

    Args:
        published: what is in the photos.
        detections: a table with the columns `image_id`, `label`, `score` and corners from 0 to 1;
            of other photos and classes it may know more.
        classes: the names of those that are evaluated.
        rules: the protocol's.
    """
    size = (len(published.image_ids), len(classes))
    boxes = _boxes(published, classes, rules)
    found = _found(detections, published.image_ids, classes)
    found = found.where(found.areas() > 0)
    if rules.verified_only:
        looked_for = _looked_for(published, boxes, classes, rules)
        found = found.where(looked_for[found.photos, found.class_ids])
    right, listed = _judge(found, boxes, rules.group_weight)
    positives = boxes.counted(~boxes.special, *size)
    positives += rules.group_weight * boxes.counted(boxes.special, *size)
    return Matches(found.photos, found.class_ids, right[None], listed[None], positives)


def _boxes(published: Published, classes: tuple[str, ...], rules: Rules) -> TrueBoxes:
    """The boxes of the classes that are evaluated, each for all that it is; groups are special."""
    table = published.boxes
    if rules.hierarchy:
        table = table.assign(label=table["label"].map(with_ancestors)).explode("label")
    photos, class_ids = _positions(table, published.image_ids, classes)
    known = (photos >= 0) & (class_ids >= 0)
    groups = table["is_group_of"].fillna(False).to_numpy(bool)
    corners = table[CORNERS].to_numpy(np.float64)
    return TrueBoxes(photos[known], class_ids[known], corners[known], groups[known])


def _found(
    detections: pd.DataFrame, image_ids: tuple[str, ...], classes: tuple[str, ...]
) -> FoundBoxes:
    """The detections of the photos and classes that are evaluated."""
    photos, class_ids = _positions(detections, image_ids, classes)
    known = (photos >= 0) & (class_ids >= 0)
    scores = detections["score"].to_numpy(np.float64)[known]
    corners = detections[CORNERS].to_numpy(np.float64)[known]
    return ranked(photos[known], class_ids[known], scores, corners)


def _looked_for(
    published: Published, boxes: TrueBoxes, classes: tuple[str, ...], rules: Rules
) -> NDArray[np.bool_]:
    """Which classes people looked for in which photo: [photos, classes]."""
    table = published.verified
    if rules.hierarchy:
        there = table["present"].to_numpy(bool)
        up = table[there].assign(label=table.loc[there, "label"].map(with_ancestors))
        down = table[~there].assign(label=table.loc[~there, "label"].map(with_descendants))
        table = pd.concat([up, down]).explode("label")
    photos, class_ids = _positions(table, published.image_ids, classes)
    known = (photos >= 0) & (class_ids >= 0)
    looked_for = np.zeros((len(published.image_ids), len(classes)), np.bool_)
    looked_for[photos[known], class_ids[known]] = True
    looked_for[boxes.photos, boxes.class_ids] = True
    return looked_for


def _positions(
    table: pd.DataFrame, image_ids: tuple[str, ...], classes: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions of each row's photo and class, -1 where it is none of them."""
    photos = pd.Index(image_ids, dtype=object).get_indexer(
        pd.Index(table["image_id"], dtype=object)
    )
    class_ids = pd.Index(classes, dtype=object).get_indexer(pd.Index(table["label"], dtype=object))
    return photos.astype(np.int64), class_ids.astype(np.int64)


def _judge(
    found: FoundBoxes, boxes: TrueBoxes, group_weight: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which detections are right, and which count at all: [D] each.

    A group that counts is listed as the best detection in it, if that has a score.
    """
    pairs = overlapping(found, boxes)
    grouped = boxes.special[pairs.boxes]
    right = np.zeros(len(found.scores), np.bool_)
    listed = np.ones_like(right)
    singles = pairs.where(~grouped)
    hits = _best(singles, ious(singles, found, boxes), LEAST_IOU)
    right[hits.found] = ranks(hits.boxes) == 0
    others = pairs.where(grouped & ~right[pairs.found])
    inside = _best(others, shares(others, found), LEAST_SHARE)
    first = (ranks(inside.boxes) == 0) & (found.scores[inside.found] > 0) & (group_weight > 0)
    right[inside.found] = first
    listed[inside.found] = first
    return right, listed


def _best(pairs: Pairs, values: NDArray[np.float64], least: float) -> Pairs:
    """Each detection with the box of its highest value, if that is enough."""
    best = best_pairs(pairs, values)
    best = best[values[best] >= least]
    return Pairs(pairs.found[best], pairs.boxes[best], pairs.shared[best])
