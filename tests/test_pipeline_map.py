"""dvc.yaml against the code: what a stage uses, it declares, and nothing else."""

import ast

import pytest
import yaml

from dminity.training.checkpoints import CODE
from tests.helpers.pipeline_map import (
    DVC_YAML,
    PARAMS,
    declared_stages,
    dependencies,
    mapped,
    read_parameters,
    stage_file,
)
from tests.helpers.project import ROOT

STAGES = declared_stages()
ORDER = [
    "index", "pick", "fetch", "merge", "check", "resize", "voc", "train", "evaluate", "export",
    "report",
]  # fmt: skip


def test_the_stages_are_the_files() -> None:
    assert list(STAGES) == ORDER
    files = {path.stem for path in stage_file("index").parent.glob("*.py")}
    assert files - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_a_stage_depends_on_just_the_code_that_it_runs(name: str) -> None:
    code = [path for path in STAGES[name]["deps"] if path.startswith("src/")]
    assert code == dependencies(stage_file(name)), "run `make map`"


def test_the_map_can_be_written_anew() -> None:
    text = DVC_YAML.read_text()
    assert mapped(text) == text
    for path in ("src/dminity/core", "src/dminity/data/tables.py", "src/dminity/sources"):
        text = text.replace(f"      - {path}\n", "", 1)
    text = text.replace("params: [evaluate]", "params: [export, seed]")
    assert mapped(text) == DVC_YAML.read_text()


def test_params_decides_nothing() -> None:
    # It is no dependency of any stage: what it did to a value, no stage would be run again for.
    body = ast.parse(PARAMS.read_text()).body
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    assert functions == ["load_params"]
    assert [node.name for node in classes] == ["Params"]
    docstring, *fields = classes[0].body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(node, ast.AnnAssign) and node.value is None for node in fields)
    assert not {"BeforeValidator", "AfterValidator", "PlainValidator", "WrapValidator"} & {
        node.id for node in ast.walk(classes[0]) if isinstance(node, ast.Name)
    }


def test_a_checkpoint_serves_just_the_code_that_the_stage_depends_on() -> None:
    assert [f"src/dminity/{name}" for name in CODE] == dependencies(stage_file("train"))


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
