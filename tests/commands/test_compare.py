"""`dminity compare` on real experiments, and what it refuses."""

import argparse
import re
from pathlib import Path

import pytest
from PIL import Image

from dminity.commands import compare
from dminity.core.errors import DminityError
from tests.helpers.project import Project, run_module

pytestmark = pytest.mark.slow

FILES = ["comparison.html", "comparison.md", "comparison.png"]


def run(*arguments: str) -> None:
    """Run the command in this process."""
    parser = argparse.ArgumentParser()
    compare.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["compare", *arguments])
    parsed.run(parsed)


def test_all_experiments_are_compared(experimented: Project, tmp_path: Path) -> None:
    output = tmp_path / "found"
    done = run_module(
        experimented.folder,
        "dminity.commands",
        "compare",
        "--output",
        str(output),
        "--threads",
        "1",
    )
    assert done.returncode == 0, done.stderr
    rows = [re.split(r"  +", line) for line in done.stdout.splitlines()]
    # `twice` is another name of two of them.
    assert [row[0] for row in rows[1:5]] == ["perfect", "half", "main", "unmeasured"]
    assert rows[1][3] == "1.000 (0.900 to 1.000)"
    assert rows[2][6] == "loss"
    assert "perfect has the highest AP of 3, 1.000." in done.stdout
    assert "note: unmeasured has no metrics/evaluate.json, or it is damaged" in done.stdout
    assert "One photo on the CPU, all variants in turn, with 1 thread" in done.stdout
    assert sorted(path.name for path in output.iterdir()) == FILES
    with Image.open(output / "comparison.png") as picture:
        assert min(picture.size) > 500
    page = (output / "comparison.html").read_text()
    assert "perfect has the highest AP of 3" in page
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)


def test_an_older_version_is_compared_on_what_it_has(
    experimented: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(experimented.folder)
    run("release/older", "main", "--against", "v1", "--threads", "1")
    printed = capsys.readouterr().out
    assert "release/older  yolox_nano     96                   0.250" in printed
    assert "note: release/older: its figures are of an older version" in printed
    assert "note: no interval of the difference of release/older and main: " in printed
    assert "note: no latency: release/older: " in printed
    # v1 is the commit of main.
    assert "AP beside main" in printed


def test_without_metrics_nothing_is_concluded(
    experimented: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(experimented.folder)
    run("unmeasured", "--threads", "1")
    printed = capsys.readouterr().out
    assert "No variant has an AP to choose by: run `dvc repro evaluate`" in printed


def test_what_cannot_be_compared_is_refused_in_one_line(
    experimented: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experimented.clone(tmp_path / "clone")
    (tmp_path / "nothing").mkdir()
    for folder, arguments, reason in (
        (experimented.folder, ["perfekt"], r"'perfekt' is no experiment.*did you mean 'perfect'\?"),
        (experimented.folder, ["main", "--against", "mein"], "'mein' is no experiment.*'main'"),
        (tmp_path / "clone", [], "there are no experiments: run one by `dvc exp run"),
        (tmp_path / "nothing", [], "is in no project of DVC; run it in a clone"),
    ):
        monkeypatch.chdir(folder)
        with pytest.raises(DminityError, match=reason) as refused:
            run(*arguments)
        assert "\n" not in str(refused.value)


def test_an_existing_file_is_no_folder_to_write_to(
    experimented: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(experimented.folder)
    (tmp_path / "file").touch()
    with pytest.raises(DminityError, match="is a file, where a folder is to be"):
        run("unmeasured", "--threads", "1", "--output", str(tmp_path / "file"))
