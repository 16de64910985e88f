"""Which photos make up each batch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dminity.loader.batches import (
    class_aware_shares,
    earlier_turns,
    epoch_batches,
    epoch_order,
)


@given(st.integers(1, 90), st.integers(1, 16), st.integers(1, 4))
def test_processes_share_every_batch_equally(count: int, per_process: int, processes: int) -> None:
    size = per_process * processes
    shares = [epoch_batches(count, size, 3, rank, processes) for rank in range(processes)]
    whole = epoch_batches(count, size, 3)
    for batch in range(len(whole)):
        places = [place for share in shares for place in share[batch]]
        assert len(set(places)) == len(places)
        assert {len(share[batch]) for share in shares} == {len(places) // processes}
        if count >= size:
            assert set(places) == set(whole[batch])
            assert len(places) == size
    assert len(whole) == max(1, count // size)
    taken = [place.position for batch in whole for place in batch]
    assert taken == list(range(len(taken)))


def test_an_order_is_a_permutation_of_its_epoch_and_seed() -> None:
    orders = [epoch_order(50, seed, epoch).tolist() for seed in (1, 2) for epoch in (0, 1)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert epoch_order(50, 1, 0).tolist() == orders[0]


def test_an_order_without_shares_is_what_it_always_was() -> None:
    expected = np.random.default_rng([7, 3]).permutation(20)
    np.testing.assert_array_equal(epoch_order(20, 7, 3), expected)


# Of class 0 there are four photos, of class 1 two, of class 2 one; the last has none.
CLASSES = [[0], [0, 0, 0], [0, 1], [0, 1, 2], []]


def test_a_photo_weighs_what_its_classes_are_rare() -> None:
    weights = np.array([1 / 4, 1 / 4, 1 / 4 + 1 / 2, 1 / 4 + 1 / 2 + 1, 0])
    shares = class_aware_shares([np.array(of_photo, int) for of_photo in CLASSES])
    np.testing.assert_allclose(shares, weights / 3)


def test_photos_without_classes_are_seen_if_there_is_no_other() -> None:
    np.testing.assert_allclose(class_aware_shares([np.empty(0, int)] * 4), 0.25)


@given(
    st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=40),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_an_epoch_takes_each_photo_as_often_as_its_share_says(
    classes: list[list[int]], seed: int, epoch: int
) -> None:
    count = len(classes)
    shares = class_aware_shares([np.array(of_photo, int) for of_photo in classes])
    order = epoch_order(count, seed, epoch, shares)
    assert len(order) == count
    times = np.bincount(order, minlength=count)
    assert (np.abs(times - count * shares) < 1 + 1e-9).all()
    np.testing.assert_array_equal(order, epoch_order(count, seed, epoch, shares))


def test_over_epochs_rare_classes_come_as_often_as_common_ones() -> None:
    # 300 photos of one class each, the last of which is 100 times as rare as the first.
    of_photo = np.repeat([0, 1, 2], [200, 98, 2])
    shares = class_aware_shares([np.array([name]) for name in of_photo])
    orders = [epoch_order(300, 1, epoch, shares) for epoch in range(50)]
    seen = np.bincount(of_photo[np.concatenate(orders)])
    np.testing.assert_allclose(seen / seen.sum(), 1 / 3, atol=0.002)
    # Every photo of each class has its turn in the end, in another order each time.
    assert len(np.unique(np.concatenate(orders))) == 300
    assert len({tuple(order) for order in orders}) == 50


@given(st.lists(st.integers(0, 5), max_size=30))
def test_turns_of_a_photo_are_counted(photos: list[int]) -> None:
    earlier = earlier_turns(np.array(photos, int)).tolist()
    assert earlier == [photos[:turn].count(photo) for turn, photo in enumerate(photos)]
