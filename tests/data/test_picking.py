"""Which photos are fetched."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dminity.core.amenities import NAMES, buckets
from dminity.data.picking import pick


@st.composite
def box_tables(draw: st.DrawFn) -> pd.DataFrame:
    """Boxes of a few classes on a few images; each image in one split."""
    number = st.integers(0, 30)
    rows = draw(st.lists(st.tuples(number, st.sampled_from(NAMES)), min_size=1, max_size=60))
    splits = ("train", "validation", "test")
    return pd.DataFrame(
        [(f"{image:016x}", splits[image % 3], label) for image, label in rows],
        columns=["image_id", "split", "label"],
    )


@given(box_tables(), st.integers(1, 4), st.integers(0, 3), st.integers(0, 5))
def test_a_larger_limit_keeps_what_a_smaller_one_had(
    boxes: pd.DataFrame, limit: int, more: int, seed: int
) -> None:
    few = set(pick(boxes, limit, seed)["image_id"])
    assert few <= set(pick(boxes, limit + more, seed)["image_id"])
    assert few <= set(pick(boxes, 0, seed)["image_id"])


@given(box_tables(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_plays_no_part(
    boxes: pd.DataFrame, limit: int, random: st.DataObject
) -> None:
    shuffled = boxes.sample(frac=1, random_state=random.randint(0, 9))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(pick(boxes, limit, 1), pick(shuffled, limit, 1))


@given(box_tables(), st.integers(1, 4))
def test_quotas_are_met(boxes: pd.DataFrame, limit: int) -> None:
    wanted = pick(boxes, limit, 1).explode("wanted_by")
    available = boxes.groupby(["split", "label"])["image_id"].nunique().clip(upper=limit)
    taken = wanted.groupby(["split", "wanted_by"])["image_id"].nunique()
    assert taken.to_dict() == available.to_dict()


@given(box_tables(), st.integers(1, 4), st.integers(1, 4))
def test_an_image_is_in_one_bucket_that_wants_it_and_stays_there(
    boxes: pd.DataFrame, limit: int, more: int
) -> None:
    images = pick(boxes, limit, 1)
    assert images["image_id"].is_unique
    for bucket, labels in zip(images["bucket"], images["wanted_by"], strict=True):
        assert {*labels} & {*buckets()[bucket]}
    larger = pick(boxes, limit + more, 1).set_index("image_id")["bucket"]
    assert (larger[images["image_id"]].to_numpy() == images["bucket"].to_numpy()).all()


def test_another_seed_picks_others() -> None:
    boxes = pd.DataFrame(
        [(f"{image:016x}", "train", "Bed") for image in range(100)],
        columns=["image_id", "split", "label"],
    )
    assert set(pick(boxes, 10, 1)["image_id"]) != set(pick(boxes, 10, 2)["image_id"])
