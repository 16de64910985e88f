"""The page that a step of the ladder ends with."""

from pathlib import Path

from dminity.report.ladder_page import Making, ladder_page
from dminity.report.recipes import Recipe
from dminity.report.variants import Variant
from tests.helpers.variants import variant_of

MAKING = Making("dminity ladder few", "2026-11-26", "commit abc1234", "a machine of 2 processors")


def trained(name: str, seed: int, ap: float, **params: object) -> Variant:
    """A variant of rendered rooms."""
    said = {"source": "demo", "train": {"seed": seed, "lr": 0.1}, **params}
    return variant_of(Path(), name, params=said, figures={"coco": {"AP": ap}, "images": 150})


def page(*recipes: Recipe) -> str:
    """The page of some recipes."""
    commands = {"main": "dvc repro", "few": "dvc exp run --name few -S 'classes=[Bed,Sink]'"}
    return ladder_page(
        "Few or all?", MAKING, commands, recipes, ["large"], "# Variants compared\n\nAll.\n"
    )


def test_it_says_how_it_came_about_and_what_differs() -> None:
    main, few = (
        Recipe((trained("main", 1, 0.4, classes="all"),)),
        Recipe((trained("few", 2, 0.5, classes=["Bed", "Sink"]),)),
    )
    text = page(main, few)
    assert text.startswith("# Few or all?\n\nWritten by `dminity ladder few` on 2026-11-26, of ")
    assert "dvc exp run --name few -S 'classes=[Bed,Sink]'  # few\n```\n" in text
    assert "| parameter | main | few |\n| :-- | :-- | :-- |\n| classes | all | Bed, Sink |" in text
    assert "train.seed" not in text
    assert "\n## Conclusion\n\nAll.\n\n## Limits\n- large failed, and is not here.\n" in text
    assert "- One training each of main, few: one seed says little. `dminity seeds" in text
    assert "- The test split has 150 photos" in text
    assert "rooms that the project renders" in text


def test_what_seeds_are_known_to_spread_by_is_said_of_the_others() -> None:
    seeds = tuple(trained(f"seed-{seed}", seed, ap) for seed, ap in enumerate((0.40, 0.42, 0.44)))
    text = page(Recipe(seeds), Recipe((trained("few", 2, 0.5),)))
    assert (
        "few: one seed says little; the spread of coco.AP between seeds is 0.020 (seed-0 (3" in text
    )
    assert "One training" not in page(Recipe(seeds))
