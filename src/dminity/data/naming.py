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


def agreed(
    said: pd.DataFrame, boxes: pd.DataFrame, sound: "pd.Series[bool]", hierarchy: bool
) -> pd.DataFrame:
    """The classes of each photo of which it is known where they are, as `tables.VERIFIED`.

    That a class is there says no more than that nothing is known, unless boxes of its own say
    where: all that has none would be taken for background. Nor do the boxes of a kind, as plain
    couches have none in a photo in which people looked for sofa beds only. Of classes of which
    people contradict each other or a box, nothing is known.

    Args:
        said: a table as `answers` makes it.
        boxes: of the same photos, as `tables.BOXES`.
        sound: for each of the boxes, whether its corners show something.
        hierarchy: false keeps what a box says to its own class.
    """
    photo_and_class = ["image_id", "split", "label"]
    is_there = said["present"].astype(bool)
    drawn = boxes[photo_and_class].drop_duplicates()
    if hierarchy:
        drawn = drawn.assign(label=drawn["label"].map(with_ancestors)).explode("label")
    there = pd.concat([said.loc[is_there, photo_and_class], drawn])
    absent = said[~is_there]
    absent = absent[~_rows(absent[photo_and_class]).isin(_rows(there))]
    faulty = _rows(boxes.loc[~sound, photo_and_class])
    located = boxes[photo_and_class].drop_duplicates()
    located = located[~_rows(located).isin(faulty)]
    return pd.concat([located.assign(present=True), absent]).sort_values(
        ["split", "image_id", "label"], ignore_index=True
    )


def _rows(table: pd.DataFrame) -> pd.MultiIndex:
    """The rows of a table, to be looked up."""
    return pd.MultiIndex.from_frame(table)
