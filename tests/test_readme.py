"""README's commands, run as they stand there; only sizes and addresses are made small and local."""

import http.client
import json
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import torch

from dminity.core.stage import ONNX
from tests.helpers import processes
from tests.helpers.browser import NPM
from tests.helpers.detectors import nano
from tests.helpers.http_server import http_server
from tests.helpers.mirror import serve_photos
from tests.helpers.project import (
    MODEL_STAGES,
    ROOT,
    Project,
    checksums,
    environment,
    stages_run,
)
from tests.helpers.s3_server import S3Server, free_ports
from tests.helpers.service import serving

pytestmark = pytest.mark.slow


def commands(text: str) -> list[str]:
    """The commands of a Markdown text's shell blocks, without comments, a line each."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    found = [shlex.join(shlex.split(line, comments=True)) for line in lines]
    return [line for line in found if line]


README = commands((ROOT / "README.md").read_text(encoding="utf-8"))
# What is run elsewhere, and where: the part of a command that has to stand there.
ELSEWHERE = {
    "make repro": (".ci/run", "make repro"),
    "make test": (".ci/run", "make test"),
    "make pr-report": (".github/workflows/pull-request.yml", "make pr-report"),
    "dminity ladder": ("tests/commands/test_ladder.py", '"ladder", "variants"'),
    "dminity seeds": ("tests/commands/test_seeds.py", '("seeds", "-n", "2")'),
    "dminity compare": ("tests/commands/test_compare.py", '"compare"'),
    "git tag -a": ("tests/test_registry.py", "git tag -a"),
    "git push": ("tests/test_registry.py", "git push"),
    "dvc artifacts get": ("tests/test_registry.py", "dvc artifacts get"),
    "dvc get": ("tests/test_registry.py", "dvc get"),
    "docker compose": ("tests/service/test_container.py", "compose.yaml"),
    "PYTHONPATH=src torchrun": ("tests/training/test_resuming.py", "--nnodes=2"),
}
EXPERIMENTS = ["dvc exp run", "dvc exp show", "dvc exp diff", "dvc metrics diff", "dvc plots show"]
REMOTE = ["dvc remote", "dvc push", "dvc pull"]
SERVE = ["dminity serve", "curl"]
PAGE = ["dminity site", "python -m http.server"]
HOME = ["mkdir -p home", "printf", "dminity predict", "dminity listing"]


def starting_with(*beginnings: str) -> list[str]:
    """README's commands with one of these beginnings, in their order."""
    return [command for command in README if command.startswith(beginnings)]


def test_every_command_is_run_by_some_test() -> None:
    ours = (*HOME, *SERVE, *PAGE, "dminity check", "dminity view")
    known = (*EXPERIMENTS, *REMOTE, *ours, *ELSEWHERE)
    assert [command for command in README if not command.startswith(known)] == []
    for beginning, (file, part) in ELSEWHERE.items():
        assert starting_with(beginning)
        assert part in (ROOT / file).read_text(encoding="utf-8")
    torchrun = starting_with("PYTHONPATH=src torchrun")[0]
    assert torchrun.endswith("-m dminity.stages.train")


def small(command: str, *options: str) -> list[str]:
    """A command with a training that takes seconds."""
    command = command.replace("train.epochs=30", "train.epochs=1")
    return [*shlex.split(command), *options]


def test_another_model_is_an_experiment(project: Project) -> None:
    (run,) = [line for line in starting_with("dvc exp run") if "model=" in line]
    assert "model=yolox_s" in run
    output = project.run(*small(run, "--name", "variant"))
    assert stages_run(output) == set(MODEL_STAGES)
    others = [command for beginning in EXPERIMENTS[1:] for command in starting_with(beginning)]
    show, exp_diff, metrics_diff, plots = (project.run(*shlex.split(line)) for line in others)
    assert "variant" in show
    assert "src/" not in show
    assert re.search(r"params.yaml +model +yolox_nano +yolox_s", exp_diff)
    assert "metrics/evaluate.json" in metrics_diff
    assert not re.search("_ms|per_second|memory|waiting", metrics_diff)
    changes = json.loads(project.run("dvc", "metrics", "diff", "--json"))
    params = changes["metrics/evaluate.json"]["params_m"]
    assert params["old"] < 1 < 8 < params["new"]
    assert plots.strip().endswith("index.html")
    assert (project.folder / "dvc_plots/index.html").stat().st_size > 10_000


def test_the_real_thing(project: Project, made_mirror: Path, s3: S3Server, tmp_path: Path) -> None:
    (command,) = [line for line in README if "source=openimages" in line]
    # The official weights are not to be had in a test; random ones in their layout are.
    torch.save({"model": nano(80).state_dict()}, tmp_path / "yolox_nano.pth")
    command = command.replace("pretrained=coco", f"pretrained={tmp_path / 'yolox_nano.pth'}")
    serve_photos(s3, made_mirror, "made-photos")
    with http_server(made_mirror) as address:
        options = {
            "openimages.annotations": f"{address}/openimages",
            "openimages.images": "s3://made-photos",
            "openimages.s3_endpoint": s3.endpoint,
            "openimages.partial": "true",
        }
        changes = [part for name, value in options.items() for part in ("-S", f"{name}={value}")]
        project.run(*small(command, *changes))
    counts = json.loads((project.folder / "metrics/data.json").read_text())
    assert counts["images"] == {"train": 12, "validation": 5, "test": 5}
    published = {path.name: path.read_bytes() for path in made_mirror.glob("*/*/*.jpg")}
    fetched = {path.name: path.read_bytes() for path in project.folder.glob("data/raw/*/*/*.jpg")}
    assert fetched == published


def test_push_and_pull_move_data_and_weights(
    project: Project, s3: S3Server, tmp_path: Path
) -> None:
    to_bucket, push, pull, pull_weights = starting_with(*REMOTE)
    bucket, _, _ = to_bucket.rpartition("s3://")[2].partition("/")
    files = s3.files()
    if not files.exists(bucket):
        files.mkdir(bucket)
    whole, weights = project.clone(tmp_path / "whole"), project.clone(tmp_path / "weights")
    for place in (project, whole, weights):
        place.run(*shlex.split(to_bucket))
        for name, value in s3.remote_options().items():
            place.run("dvc", "remote", "modify", "--local", "storage", name, value)
    project.run(*shlex.split(push))
    whole.run(*shlex.split(pull))
    assert checksums(whole.folder) == checksums(project.folder)
    assert "Data and pipelines are up to date." in whole.run("dvc", "repro")
    weights.run(*shlex.split(pull_weights))
    model = Path("models/model.pth")
    assert (weights.folder / model).read_bytes() == (project.folder / model).read_bytes()
    assert not list((weights.folder / "data").rglob("*.jpg"))


def test_a_home_is_looked_at(project: Project) -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    script = [line for line in lines if line.startswith(tuple(HOME))]
    assert len(script) == len(HOME)
    printed = project.run("bash", "-e", "-o", "pipefail", "-c", "\n".join(script))
    assert "amenity" in printed
    assert re.search(r"^(Jacuzzi|Bed) .* (confirmed|not seen)$", printed, re.MULTILINE)
    assert len(list((project.folder / "found").glob("*.jpg"))) == 6
    assert "<html" in (project.folder / "home.html").read_text(encoding="utf-8")
    for name in ("home", "found"):
        shutil.rmtree(project.folder / name)
    for name in ("claims.csv", "home.html"):
        (project.folder / name).unlink()


def test_photos_are_sent_to_the_service(project: Project) -> None:
    serve, curl = (starting_with(beginning)[0] for beginning in SERVE)
    sent = re.fullmatch(r"curl -F (\w+)=@(\S+) http://127.0.0.1:8000(\S+)", curl)
    assert sent
    name, photo, path = sent.groups()
    content = (ROOT / photo).read_bytes()
    assert shlex.split(serve) == ["dminity", "serve"]
    # As it stands there, but for the port.
    with serving(project.folder / ONNX, log=project.folder / "log") as service:
        answer = service.send(path, [(name, photo, content)])
        told = service.ask("/v1/model").json
    assert told["figures"]["coco"]["AP50"] >= 0
    assert told["presence"]["photos"] == 6
    (project.folder / "log").unlink()
    assert answer.status == 200
    assert [item["photo"] for item in answer.json["photos"]] == [photo]


@pytest.mark.skipif(NPM is None, reason="there is no npm: apt-get install npm")
def test_the_page_is_served(project: Project) -> None:
    make, serve = starting_with(*PAGE)
    project.run(*shlex.split(make))
    (port,) = free_ports(1)
    process = processes.start([*shlex.split(serve), str(port)], project.folder, environment())
    answer = first_answer(process, port)
    output = processes.end(process)
    assert answer == 200, output
    for name in ("site", ".site_cache"):
        shutil.rmtree(project.folder / name)


def test_the_data_are_checked(project: Project) -> None:
    (command,) = starting_with("dminity check")
    assert "no faults" in project.run(*shlex.split(command))


def test_the_app_is_shown(project: Project) -> None:
    (command,) = starting_with("dminity view")
    (port,) = free_ports(1)
    process = processes.start(
        [*shlex.split(command), "--port", str(port)], project.folder, environment()
    )
    answer = first_answer(process, port)
    output = processes.end(process)
    assert answer == 200, output


def first_answer(process: "subprocess.Popen[str]", port: int) -> int:
    """The status that a server of ours answers with, once it is up."""
    end = time.monotonic() + processes.LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    return 0
