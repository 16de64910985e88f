"""The copy that experiments run in, of a project that trains in no time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from dminity.commands.git import GitRefused
from dminity.commands.project_copy import ProjectCopy
from tests.helpers.project import Project, environment
from tests.helpers.quick_project import quick_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with an edit that is not committed."""
    project = quick_project(tmp_path)
    with (project.folder / "params.yaml").open("a") as params:
        params.write("# An edit.\n")
    return project


@pytest.fixture
def copy(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProjectCopy]:
    """Its copy."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with Repo(str(project.folder)) as repo:
        yield ProjectCopy(repo)


def refs(project: Project) -> list[str]:
    """All references of a repository, without what they are references of."""
    names = project.run("git", "for-each-ref", "--format=%(refname)").splitlines()
    return [name.rpartition("/")[2] for name in names]


@pytest.mark.slow
def test_an_experiment_leaves_what_the_user_has_alone(
    project: Project, copy: ProjectCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = project.folder / ".git"
    fetched = git / "FETCH_HEAD"
    fetched.write_text("what the user fetched last")
    index = (git / "index").read_bytes()
    copy.config["remote"] = {"own": {"url": "s3://own", "secret_access_key": "secret"}}
    with monkeypatch.context() as hook, copy.open():
        # As the loss of power leaves it.
        (copy.folder / ".git/index.lock").touch()
        # As Git tells its hooks which repository they are of.
        hook.setenv("GIT_DIR", str(git))
        hook.setenv("GIT_INDEX_FILE", str(git / "index"))
        assert copy.run("another", ["train.lr=2.0"])
    settings = copy.folder / ".dvc/config.local"
    assert "secret" in settings.read_text()
    assert settings.stat().st_mode & 0o077 == 0
    assert (git / "index").read_bytes() == index
    assert fetched.read_text() == "what the user fetched last"
    assert project.run("git", "stash", "list") == ""
    assert refs(project) == ["another", "main"]
    edited = (project.folder / "params.yaml").read_text()
    assert edited.endswith("# An edit.\n")
    tried = project.run("git", "show", f"{named(project, 'another')}:params.yaml")
    assert "\n  lr: 2.0" in tried
    assert "\n  lr: 2.0" not in edited
    assert tried.endswith("# An edit.\n")


def named(project: Project, name: str) -> str:
    """The reference of an experiment."""
    return project.run(
        "git", "for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}"
    ).strip()


def test_what_is_finished_is_collected_and_nothing_else(
    project: Project, copy: ProjectCopy
) -> None:
    copied = Project(copy.folder)
    with copy.open():
        # What DVC has while an experiment begins, and what one leaves that is finished.
        copied.run("git", "update-ref", "refs/exps/stash", copy.head)
        copied.run("git", "update-ref", f"refs/exps/ab/{'c' * 38}/finished", copy.head)
        copy.collect()
        # This process is at work there.
        assert refs(project) == ["main"]
    copy.collect()
    assert refs(project) == ["finished", "main"]
    assert refs(copied) == ["stash"]


@pytest.mark.usefixtures("copy")
def test_a_file_that_is_announced_and_not_added_is_refused(project: Project) -> None:
    (project.folder / "new").touch()
    project.run("git", "add", "--intent-to-add", "new")
    with Repo(str(project.folder)) as repo, pytest.raises(GitRefused, match="end the merge, or"):
        ProjectCopy(repo)


@pytest.mark.slow
def test_stages_of_this_project_find_all_that_they_need(clone: Project) -> None:
    # Of what takes no time one stage that reads photos and tables.
    with Repo(str(clone.folder)) as repo:
        copy = ProjectCopy(repo)
    with copy.open():
        assert copy.run("another", ["check.near_bits=3"])
    changed = clone.run("git", "diff", "--name-only", "main", named(clone, "another")).split()
    assert "params.yaml" in changed
    assert "metrics/evaluate.json" not in changed
