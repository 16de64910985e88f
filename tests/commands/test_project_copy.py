"""The copy that experiments run in, of a project with a stage that takes no time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from dminity.commands.git import GitRefused
from dminity.commands.project_copy import ProjectCopy
from tests.helpers.project import Project, environment

STAGE = """
stages:
  copy:
    cmd: cp params.yaml metrics.yaml
    params: [lr]
    metrics: [metrics.yaml: {cache: false}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a commit, and an edit after it. There is a blank in its path."""
    project = Project(tmp_path / "a project")
    project.folder.mkdir()
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("dvc", "init", "--quiet")
    (project.folder / "dvc.yaml").write_text(STAGE)
    (project.folder / "params.yaml").write_text("lr: 1\n")
    project.commit("Begin")
    (project.folder / "params.yaml").write_text("lr: 1 # An edit.\n")
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
        # As Git tells its hooks which repository they are of.
        hook.setenv("GIT_DIR", str(git))
        hook.setenv("GIT_INDEX_FILE", str(git / "index"))
        assert copy.run("another", ["lr=2"])
    settings = copy.folder / ".dvc/config.local"
    assert "secret" in settings.read_text()
    assert settings.stat().st_mode & 0o077 == 0
    assert (git / "index").read_bytes() == index
    assert fetched.read_text() == "what the user fetched last"
    assert (project.folder / "params.yaml").read_text() == "lr: 1 # An edit.\n"
    assert project.run("git", "stash", "list") == ""
    assert refs(project) == ["another", "main"]
    assert project.run("git", "show", f"{named(project, 'another')}:metrics.yaml") == (
        "lr: 2 # An edit.\n"
    )


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
