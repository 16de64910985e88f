"""What is published of any class, told of the 30 amenities: the hierarchy applied, once for all.

A box of a class that is no amenity is one of the nearest amenity that it is a kind of: a Loveseat
is a Couch. One that has a name of its own keeps it: a Sofa bed stays a Sofa bed, and is no second
box of a Couch. What people say is told of all that it holds for: "it is there" of whatever a class
is a kind of, "it is not there" of all its kinds. No furniture is no Sofa bed.
"""

import pandas as pd

from dminity.core.amenities import NAMES
from dminity.core.hierarchy import nearest, with_ancestors, with_descendants


def named(boxes: pd.DataFrame, classes: tuple[str, ...], hierarchy: bool) -> pd.DataFrame:
    """Boxes of `classes`, of boxes of any class; columns as `tables.BOXES`.

    hierarchy: false leaves out all boxes that are not of `classes` by their own name.
    """
    published = boxes["label"].unique()
    names = {label: nearest(label, classes) if hierarchy else label for label in published}
    labels = boxes["label"].map(names)
    known = labels.isin(classes)
    return boxes[known].assign(label=labels[known]).reset_index(drop=True)


def answers(verified: pd.DataFrame, hierarchy: bool) -> pd.DataFrame:
    """What people say of the amenities, of what they say of any class, as `tables.VERIFIED`.

    A photo and class that they contradict each other about, by themselves or through the hierarchy,
    has a row for either answer: it was looked for.
    """
    if hierarchy:
        there = verified["present"].astype(bool)
        labels = verified["label"]
        # There are few labels, and rows by the million.
        above, below = (
            labels.map({label: of(label) for label in labels.unique()})
            for of in (with_ancestors, with_descendants)
        )
        spread = above.where(there, below)
        verified = verified.assign(label=spread).explode("label")
    known = verified[verified["label"].isin(NAMES)]
    return known.drop_duplicates().reset_index(drop=True)


def agreed(said: pd.DataFrame, boxes: pd.DataFrame, hierarchy: bool) -> pd.DataFrame:
    """What is known of photos, a row for each of their classes, as `tables.VERIFIED`.

    Who draws a box has looked: its class, and what that is a kind of, is there, whatever else is
    said. Of classes of which people contradict each other nothing is known.

    Args:
        said: a table as `answers` makes it.
        boxes: of the same photos, as `tables.BOXES`.
        hierarchy: false keeps what a box says to its own class.
    """
    drawn = boxes[["image_id", "split", "label"]].drop_duplicates()
    if hierarchy:
        drawn = drawn.assign(label=drawn["label"].map(with_ancestors)).explode("label")
        drawn = drawn[drawn["label"].isin(NAMES)].drop_duplicates()
    photo_and_class = ["image_id", "label"]
    asked = pd.MultiIndex.from_frame(said[photo_and_class])
    others = said[~asked.isin(pd.MultiIndex.from_frame(drawn[photo_and_class]))]
    others = others[~others.duplicated(photo_and_class, keep=False)]
    return pd.concat([drawn.assign(present=True), others]).sort_values(
        ["split", *photo_and_class], ignore_index=True
    )
