"""What is read of experiments and revisions, in a real project of DVC."""

import json
import shutil
from pathlib import Path

import pytest

from dminity.core.stage import ONNX, VOC
from dminity.report.variants import (
    NoProject,
    NoSuchRevision,
    NotAtHand,
    baseline,
    experiments,
    read_variant,
)
from tests.helpers.project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def there(experimented: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Work in the project with experiments."""
    monkeypatch.chdir(experimented.folder)
    return experimented


def test_all_experiments_are_named(there: Project) -> None:
    names = experiments()
    assert [name for name in names if "/" not in name] == ["half", "perfect", "unmeasured"]
    twice = [name for name in names if "/" in name]
    assert len(twice) == 2
    assert {read_variant(name).rev for name in twice} == {
        read_variant(name).rev for name in ("half", "perfect")
    }
    commit = there.run("git", "rev-parse", "main").strip()
    assert f"twice of {commit[:7]}" in {read_variant(name).name for name in twice}


def test_revisions_have_many_names(there: Project) -> None:
    commit = there.run("git", "rev-parse", "main").strip()
    for name in ("main", "HEAD", "v1", "release/older~1", commit[:7], commit):
        assert read_variant(name).rev == commit, name
    assert read_variant("release/older").name == "release/older"
    assert baseline() == "main"


def test_a_variant_says_what_its_files_say() -> None:
    variant = read_variant("perfect")
    assert variant.figure("coco.AP") == 1.0
    assert variant.figure("params_m") == pytest.approx(0.9, abs=0.1)
    assert variant.figure("coco.nothing") is None
    assert variant.param("train.lr") == 0.1
    assert variant.param("train.lr.nothing") is None
    assert variant.missing == ()
    assert not variant.is_older
    assert len(variant.read(ONNX)) > 1e6
    assert len(variant.per_class) == 30
    assert variant.data["images"]["test"] == 6


def test_the_workspace_is_what_lies_there(there: Project) -> None:
    written = json.loads((there.folder / "metrics/evaluate.json").read_text())
    variant = read_variant("workspace")
    assert (variant.rev, variant.figures) == ("", written)
    assert variant.read(ONNX) == (there.folder / ONNX).read_bytes()


def test_figures_without_a_protocol_were_cocos() -> None:
    variant = read_variant("release/older")
    assert (variant.figure("coco.AP"), variant.figure("coco.AP50")) == (0.25, 0.5)
    assert variant.figure("voc.AP50") is None
    assert variant.is_older
    with pytest.raises(NotAtHand, match=r"release/older: models/model\.onnx is not there"):
        variant.read(ONNX)


def test_an_experiment_without_metrics_says_so() -> None:
    variant = read_variant("unmeasured")
    assert variant.missing == ("metrics/evaluate.json",)
    assert variant.figure("coco.AP") is None


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("perfekt", "did you mean 'perfect'?"),
        ("release/old", "did you mean 'release/older'?"),
        ("nothing-like-it", "`dvc exp list -A`"),
        ("", "`dvc exp list -A`"),
        ("HEAD:params.yaml", "`dvc exp list -A`"),
    ],
)
def test_what_is_no_revision_is_named(name: str, mend: str) -> None:
    with pytest.raises(NoSuchRevision) as refused:
        read_variant(name)
    assert repr(name) in str(refused.value)
    assert mend in str(refused.value)


def test_a_detached_head_is_a_commit(there: Project, tmp_path: Path) -> None:
    clone = there.clone(tmp_path / "clone")
    clone.run("git", "checkout", "--quiet", "--detach", "origin/release/older")
    # A remote that nobody reaches, and that is no server of others.
    clone.run("dvc", "remote", "modify", "--local", "storage", "url", str(tmp_path / "nowhere"))
    commit = clone.run("git", "rev-parse", "HEAD").strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(clone.folder)
        assert baseline() == commit[:7]
        assert read_variant(baseline()).rev == commit
        # Git clones no experiments, and DVC's files are neither in a cache nor in a remote.
        assert experiments() == []
        variant = read_variant("HEAD~1")
        assert variant.figure("coco.AP") is not None
        for path in (ONNX, VOC / "JPEGImages/any.jpg"):
            with pytest.raises(NotAtHand, match=f"^HEAD~1: {path} is not there: .* nor its remote"):
                variant.read(path)


def test_a_name_that_two_experiments_have_is_named_in_full(there: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(there.folder, copy, symlinks=True)
    project = Project(copy)
    project.run("git", "commit", "--quiet", "--allow-empty", "--message", "Another")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copy)
        with pytest.raises(NoSuchRevision, match=r"2 experiments are called 'twice'.*refs/exps/"):
            read_variant("twice")


def test_without_a_project_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        with pytest.raises(NoProject, match="is in no project of DVC"):
            experiments()
        (tmp_path / ".dvc").mkdir()
        with pytest.raises(NoProject, match="is no Git repository"):
            read_variant("HEAD")
        Project(tmp_path).run("git", "init", "--quiet", "larger")
        (tmp_path / ".dvc").rename(tmp_path / "larger/project")
        (tmp_path / "larger/project/.dvc").mkdir()
        patch.chdir(tmp_path / "larger/project")
        with pytest.raises(NoProject, match="is a folder of the Git repository"):
            read_variant("HEAD")
