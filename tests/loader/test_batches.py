"""Which photos make up each batch."""

from hypothesis import given
from hypothesis import strategies as st

from dminity.loader.batches import epoch_batches, epoch_order


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
