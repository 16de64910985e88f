"""The table in which a benchmark says how fast each contender was, and against which peers."""

from statistics import median


def print_table(seconds: dict[str, list[float]], peers: list[str], images: int) -> None:
    """Medians over the rounds: of images per second, and of the ratios within a round.

    `seconds` are those of every contender in every round, in each of which it makes `images`.
    """
    print(f"{'':30} {'images/s':>9}" + "".join(f" {f'x {peer}':>23}" for peer in peers))
    for name, ours in seconds.items():
        ratios = [
            median(theirs / mine for theirs, mine in zip(seconds[peer], ours, strict=True))
            for peer in peers
        ]
        print(f"{name:30} {images / median(ours):9.1f}" + "".join(f" {r:23.2f}" for r in ratios))
