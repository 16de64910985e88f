"""Versions and stages of models: plain annotated tags, and the bytes that they bring back."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.project import Project
from tests.helpers.s3_server import S3Server
from tests.test_readme import starting_with

pytestmark = pytest.mark.slow

BUCKET = "registry"
MODEL = Path("models/model.pth")


@dataclass(frozen=True)
class Registry:
    """A fresh clone of a repository with two versions of its models, and what the versions are.

    The models themselves are on the S3 server, and in no cache that the clone knows of.
    """

    clone: Project
    versions: tuple[bytes, bytes]
    keys: list[str]

    def run(self, command: str) -> str:
        """Run a command as someone who has the bucket's credentials."""
        return self.clone.run("env", *self.keys, *shlex.split(command))


@pytest.fixture(scope="module")
def registry(ran: Project, s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Two versions are pushed and tagged; the first is in use."""
    folder = tmp_path_factory.mktemp("registry")
    hub = folder / "hub.git"
    ran.run("git", "clone", "--quiet", "--bare", str(ran.folder), str(hub))
    maker = Project(folder / "maker")
    ran.run("git", "clone", "--quiet", str(hub), str(maker.folder))
    own = maker.folder / ".dvc/config.local"
    own.write_text(f"[cache]\n    dir = {ran.folder / '.dvc/cache'}\n")
    maker.run("dvc", "checkout", "--quiet")
    s3.files().mkdir(BUCKET)
    # The address is no secret and everybody's; the keys are in the environment of whoever asks.
    config = maker.folder / ".dvc/config"
    address = f"    url = s3://{BUCKET}\n    endpointurl = {s3.endpoint}\n"
    config.write_text(config.read_text().replace("    url = s3://dminity\n", address))
    maker.commit("A bucket")
    keys = [f"AWS_ACCESS_KEY_ID={s3.key}", f"AWS_SECRET_ACCESS_KEY={s3.secret}"]
    tag, stage, push = starting_with("git tag -a", "git push")
    first = published(maker, keys, [tag, stage])
    with (maker.folder / MODEL).open("ab") as file:
        file.write(b"the second version")
    maker.run("dvc", "commit", "--quiet", "--force", "train")
    maker.commit("Another model")
    second = published(maker, keys, [tag.replace("v1.0.0", "v2.0.0")])
    maker.run(*shlex.split(push))
    clone = Project(folder / "clone")
    ran.run("git", "clone", "--quiet", str(hub), str(clone.folder))
    return Registry(clone, (first, second), keys)


def published(maker: Project, keys: list[str], tags: list[str]) -> bytes:
    """The model of a checkout, now on the S3 server, its commit tagged."""
    maker.run("env", *keys, "dvc", "push", "--quiet", str(MODEL))
    for tag in tags:
        maker.run(*shlex.split(tag))
    return (maker.folder / MODEL).read_bytes()


def test_a_version_and_a_stage_bring_back_their_bytes(registry: Registry) -> None:
    first, second = registry.versions
    assert first != second
    for command in starting_with("dvc artifacts get", "dvc get"):
        registry.run(command)
    for name in ("v1.pth", "prod.pth", "model.pth"):
        assert (registry.clone.folder / name).read_bytes() == first, name
    registry.run("dvc artifacts get . amenity-detector -o newest.pth")
    assert (registry.clone.folder / "newest.pth").read_bytes() == second


def test_gto_reads_the_tags(registry: Registry) -> None:
    pytest.importorskip("gto", reason="GTO is not installed")
    detector = json.loads(registry.run("gto show --json"))["amenity-detector"]
    assert "v2.0.0" in str(detector["version"])
    assert "v1.0.0" in str(detector["stage"]["prod"])
