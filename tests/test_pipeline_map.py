"""dvc.yaml against the code: what a stage uses, it declares, and nothing else."""

import pytest
import yaml

from tests.helpers.pipeline_map import (
    ROOT,
    declared_stages,
    first_party_modules,
    read_parameters,
    stage_file,
)

STAGES = declared_stages()
ORDER = ["index", "pick", "fetch", "merge", "check", "resize", "voc", "train", "evaluate", "export"]


def test_the_stages_are_the_files() -> None:
    assert list(STAGES) == ORDER
    files = {path.stem for path in stage_file("index").parent.glob("*.py")}
    assert files - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_a_stage_depends_on_just_the_modules_that_it_imports(name: str) -> None:
    code = {path for path in STAGES[name]["deps"] if path.startswith("src/")}
    assert code == first_party_modules(stage_file(name))


@pytest.mark.parametrize("name", ORDER)
def test_a_stage_declares_just_the_parameters_that_it_reads(name: str) -> None:
    assert set(STAGES[name].get("params", [])) == read_parameters(stage_file(name))


@pytest.mark.parametrize("name", ORDER)
def test_a_stage_runs_its_file_and_says_what_it_is_for(name: str) -> None:
    command = STAGES[name]["cmd"].removesuffix(" ${item}")
    assert command == f"PYTHONPATH=src python -m dminity.stages.{name}"
    assert STAGES[name]["desc"]


def test_every_parameter_is_read_by_some_stage() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    declared = {name for stage in STAGES.values() for name in stage.get("params", [])}
    assert declared == set(params)


@pytest.mark.parametrize("name", ORDER)
def test_outputs_outlive_a_stage_that_fails(name: str) -> None:
    for out in STAGES[name]["outs"]:
        ((path, options),) = out.items()
        assert options["persist"], path


def test_what_is_shown_is_an_output() -> None:
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    outs = {path for stage in STAGES.values() for out in stage["outs"] for path in out}
    shown = set(pipeline["metrics"])
    for plot in pipeline["plots"]:
        shown |= {plot} if isinstance(plot, str) else set(next(iter(plot.values()))["y"])
    shown |= {artifact["path"] for artifact in pipeline["artifacts"].values()}
    for path in shown:
        assert any(path == out or path.startswith(f"{out}/") for out in outs), path
