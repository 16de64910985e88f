"""Rates, phases, batch and input sizes in the course of a training."""

import pytest

from dminity.training.schedule import Schedule
from tests.helpers.training_runs import settings


@pytest.mark.parametrize("epochs", [1, 10, 300])
def test_phases_scale_with_the_epochs(epochs: int) -> None:
    schedule = Schedule(settings(epochs=epochs, warmup=0.1, no_aug=0.2, lr=1.0))
    rates = [schedule.lr(share * epochs, 64) for share in (0.05, 0.1, 0.5, 0.8, 0.9, 1.0)]
    assert rates[0] == pytest.approx(0.25)
    assert rates[1] == max(rates) == pytest.approx(1.0)
    assert 0.05 < rates[2] < 1
    if epochs > 1:
        assert rates[-2:] == [pytest.approx(0.05)] * 2
        assert [schedule.is_plain(epoch) for epoch in range(epochs)].count(True) == epochs // 5


def test_rates_follow_the_batch() -> None:
    schedule = Schedule(settings(lr=0.01, batch_schedule={0: 32, 20: 8}))
    assert [schedule.batch_size(epoch, 4) for epoch in (0, 19, 20, 99)] == [32, 32, 8, 8]
    assert schedule.lr(1, 32) == pytest.approx(4 * schedule.lr(1, 8))


def test_sides_change_every_ten_batches_and_by_the_seed() -> None:
    schedule = Schedule(settings(input_size=128, multiscale=2))
    sides = [[schedule.side(epoch, batch) for batch in range(30)] for epoch in range(40)]
    assert {side for epoch in sides for side in epoch} == {64, 96, 128, 160, 192}
    assert schedule.largest_side == 192
    assert all(len(set(epoch[start : start + 10])) == 1 for epoch in sides for start in (0, 10, 20))
    again = Schedule(settings(input_size=128, multiscale=2))
    assert [[again.side(epoch, batch) for batch in range(30)] for epoch in range(40)] == sides
    assert {Schedule(settings(input_size=128)).side(0, batch) for batch in range(30)} == {128}


@pytest.mark.parametrize(
    ("side", "small"),
    [(32, 32), (64, 32), (192, 128), (256, 192), (320, 224), (416, 288), (640, 480)],
)
def test_the_first_epochs_are_smaller(side: int, small: int) -> None:
    schedule = Schedule(settings(input_size=side, epochs=10, small_first=0.33))
    assert [schedule.side(epoch, 0) for epoch in range(10)] == [small] * 3 + [side] * 7
    varied = Schedule(settings(input_size=256, epochs=10, small_first=0.5, multiscale=1))
    assert {varied.side(0, batch) for batch in range(0, 300, 10)} == {160, 192, 224}
