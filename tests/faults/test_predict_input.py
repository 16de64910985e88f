"""Whatever people hand to `predict` and `listing`: a line for each fault, and the others go on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from PIL import Image

from dminity.core import ending
from tests.helpers import processes
from tests.helpers.onnx_models import with_metadata, write_bright_model
from tests.helpers.photos import jpeg, jpeg_of_size, png_of_size
from tests.helpers.programs import ENVIRONMENT, dminity, errors
from tests.helpers.videos import cut, write_video

MODEL = "models/model.onnx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and a sound photo."""
    (tmp_path / "models").mkdir()
    write_bright_model(tmp_path / MODEL)
    (tmp_path / "good.jpg").write_bytes(jpeg())
    return tmp_path


BAD_PHOTOS = {
    "not an image": ("notes.jpg", b"Dear diary", "it is no photo, or of a kind that is not read"),
    "empty": ("empty.jpg", b"", "it is empty"),
    "truncated": ("cut.jpg", jpeg(400, 300)[:2000], "it is cut off or damaged"),
    "0 x 0, PNG": ("zero.png", png_of_size(0, 0), "it is no photo"),
    "0 x 0, JPEG": ("zero.jpg", jpeg_of_size(0, 0), "it is no photo"),
    "a bomb": ("bomb.png", png_of_size(50_000, 50_000), "50000 x 50000 pixels are too many"),
    "a strip": ("strip.png", png_of_size(600_000, 16), "600000 x 16 pixels are too many"),
    "SVG": ("drawing.jpg", b"<svg/>", "it is a web page or a drawing"),
    "HTML": ("page.jpg", b"<!DOCTYPE html><title>404</title>", "it is a web page or a drawing"),
    "no video": ("clip.mp4", b"no video", "it is cut off or damaged, or no video"),
    "with spaces": ("two words.jpg", b"", "it is empty"),
    "non-ASCII": ("baño.jpg", b"", "it is empty"),
    "newline": ("new\nline.jpg", b"", "it is empty"),
    "control": ("\x1b[31mred.jpg", b"", "it is empty"),
}


@pytest.mark.parametrize("kind", BAD_PHOTOS)
def test_a_bad_photo_is_one_line_and_the_others_go_on(kind: str, folder: Path) -> None:
    name, content, reason = BAD_PHOTOS[kind]
    (folder / name).write_bytes(content)
    done = dminity(folder, "predict", name, "good.jpg", "--json")
    shown = name.replace("\n", "\\n").replace("\x1b", "\\x1b")
    line, last = errors(done)
    assert line.startswith(f"{shown}: {reason}")
    assert last.startswith("1 of 2 photos could not be read; ")
    content_of = json.loads(done.stdout)
    assert [photo["photo"] for photo in content_of["photos"]] == ["good.jpg"]
    assert content_of["photos"][0]["detections"]
    assert [photo["photo"] for photo in content_of["failed"]] == [name]
    assert done.returncode == 1
    # Alone, it is the only line.
    alone = dminity(folder, "predict", name)
    assert errors(alone)[0].startswith(f"{shown}: {reason}")
    assert alone.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["empty"], "empty: the folder holds no photo and no video"),
        (["gone.jpg"], "gone.jpg: there is no such file or folder"),
        (["*.tiff"], "*.tiff: no file or folder has such a name"),
        (["-"], "standard input: it is empty"),
        (["good.jpg", "--classes", "Bad"], "--classes: the model knows no 'Bad'; did you mean 'Be"),
        (
            ["good.jpg", "--classes", "Bed,"],
            "--classes: the model knows no ''; the model knows Bed",
        ),
        (["good.jpg", "--classes", "Igloo"], "--classes: the model knows no 'Igloo'; the model kn"),
    ],
)
def test_what_names_nothing_is_one_line(arguments: list[str], line: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    done = dminity(folder, "predict", *arguments)
    (said,) = errors(done)
    assert said.startswith(line)
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--min-score", "2"],
        ["--min-score", "-0.1"],
        ["--min-score", "nan"],
        ["--min-score", "half"],
        ["--threads", "0"],
        ["--threads", "1.5"],
        ["--threads", "9999"],
        ["--every", "0"],
        ["--every", "inf"],
        ["--json", "--csv"],
    ],
)
def test_wrong_options_are_one_line(arguments: list[str], folder: Path) -> None:
    done = dminity(folder, "predict", "good.jpg", *arguments)
    (line,) = errors(done)
    assert line.startswith("argument ")
    assert repr(arguments[1]) in line or "--csv" in line
    assert line.endswith("; see dminity predict --help")
    assert done.returncode == 2


def test_standard_input_that_is_no_photo(folder: Path) -> None:
    done = dminity(folder, "predict", "-", "good.jpg", stdin=b"hello")
    assert errors(done)[0] == "standard input: it is no photo, or of a kind that is not read"
    assert "good.jpg" in done.stdout


def test_a_video_that_stops_in_the_middle_is_seen_up_to_there(folder: Path) -> None:
    cut(write_video(folder / "clip.avi"), 0.7)
    done = dminity(folder, "predict", "clip.avi", "good.jpg", "--every", "0.5", "--json")
    line, _ = errors(done)
    assert line.startswith("clip.avi: it stops after ")
    names = [photo["photo"] for photo in json.loads(done.stdout)["photos"]]
    assert names[:2] == ["clip.avi@0.0s", "clip.avi@0.5s"]
    assert names[-1] == "good.jpg"


def test_metadata_that_are_damaged_are_nobodys_business(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    Image.new("RGB", (9, 9)).save(folder / "odd.jpg", exif=exif.tobytes()[:-9])
    done = dminity(folder, "predict", "odd.jpg", "good.jpg")
    assert not errors(done)
    assert "odd.jpg" in done.stdout


# Models.


def of_another_kind(path: Path) -> None:
    """An ONNX model of somebody else."""
    with_metadata(path, path, {})


def of_an_older_version(path: Path) -> None:
    """A model from before there were thresholds."""
    there = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    del there["thresholds"]
    with_metadata(path, path, there)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "no such file; get it by `dvc pull models/model.onnx` in the project, by "),
        (lambda path: cut(path, 0.5), "cut off or damaged"),
        (lambda path: path.write_text("weights"), "no ONNX model"),
        (of_another_kind, "is an ONNX model, and none of dminity"),
        (of_an_older_version, "has no thresholds: an older version wrote it; run `dvc repro exp"),
    ],
    ids=["missing", "cut", "no model", "of another kind", "of an older version"],
)
@pytest.mark.parametrize("command", [["predict", "good.jpg"], ["listing", "."]])
def test_a_model_that_cannot_be_used_is_one_line(
    spoil: Callable[[Path], object], reason: str, command: list[str], folder: Path
) -> None:
    spoil(folder / MODEL)
    done = dminity(folder, *command)
    (line,) = errors(done)
    assert line.startswith(MODEL)
    assert reason in line
    assert (done.returncode, done.stdout) == (1, "")


# Claims.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"amenity\nBedd\n", "line 2: there is no amenity 'Bedd'; did you mean 'Bed'?"),
        ("amenity\nSauna, año\n".encode("latin-1"), "is not in UTF-8 (byte 16); save it as `CSV U"),
        (b"name\nBed\n", "has no column 'amenity': its first line has 'name'; name the columns"),
        (b"home,amenity\nflat,Bed\n", "line 2: there is no home 'flat'; there are"),
        (None, "no such file; correct the path after --claims"),
    ],
    ids=["unknown amenity", "encoding", "missing column", "unknown home", "missing"],
)
def test_claims_that_cannot_be_used_are_one_line(
    content: bytes | None, reason: str, folder: Path
) -> None:
    if content is not None:
        (folder / "claims.csv").write_bytes(content)
    done = dminity(folder, "listing", ".", "--claims", "claims.csv")
    (line,) = errors(done)
    assert line.startswith("claims.csv")
    assert reason in line
    assert (done.returncode, done.stdout) == (1, "")


# Disks and signals.


def rooms(folder: Path, count: int) -> None:
    """Photos of different sizes."""
    (folder / "rooms").mkdir()
    for number in range(count):
        noise = Image.effect_noise((20 + 2 * number, 20 + 2 * number), 90)
        noise.convert("RGB").save(folder / f"rooms/{number:03}.bmp")


def saved_whole(folder: Path) -> int:
    """How many pictures are in the folder, all of which can be read to the end."""
    paths = [path for path in folder.iterdir() if not path.name.endswith(".unfinished")]
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
    return len(paths)


def test_a_full_disk_while_saving_is_one_line(folder: Path) -> None:
    """The kernel refuses larger files: a full disk takes a mount."""
    rooms(folder, 20)
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))"
    done = dminity(folder, "predict", "rooms", "--save", "out", prelude=limit)
    (line,) = errors(done)
    assert line.startswith("out/rooms-0")
    assert ".jpg: File too large: this disk takes no file so large" in line
    assert done.returncode == 1
    assert 1 < saved_whole(folder / "out") < 20
    assert not list((folder / "out").glob(".*"))


def test_a_page_that_cannot_be_written_takes_no_list_along(folder: Path) -> None:
    (folder / "page.html").mkdir()
    done = dminity(folder, "listing", ".", "--html", "page.html")
    (line,) = errors(done)
    assert line.startswith("page.html is a folder, where a file is to be")
    assert "Bed" in done.stdout
    assert done.returncode == 1


def test_a_folder_to_save_in_that_is_a_file_is_one_line(folder: Path) -> None:
    done = dminity(folder, "predict", "good.jpg", "--save", "good.jpg")
    (line,) = errors(done)
    assert line.startswith("good.jpg: File exists: move it away")


def test_ctrl_c_in_the_middle_leaves_what_is_saved_whole(folder: Path) -> None:
    rooms(folder, 150)
    command = [sys.executable, "-m", "dminity.commands", "predict", "rooms", "--save", "out"]
    process = processes.start(command, folder, ENVIRONMENT, stderr=subprocess.PIPE)
    saved = folder / "out"
    while not saved.exists() or len(list(saved.glob("*.jpg"))) < 5:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=processes.LIMIT_S)
    assert process.returncode == ending.INTERRUPTED, stderr
    last = stderr.strip().splitlines()[-1]
    assert last.startswith("error: ended by Ctrl-C; what is finished is kept")
    assert stdout == ""
    assert 5 <= saved_whole(saved) < 150


def test_output_that_nobody_reads_any_more_is_one_line(folder: Path) -> None:
    rooms(folder, 3)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "dminity.commands", "predict", "rooms", "--csv"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=processes.LIMIT_S,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: Broken pipe: what reads the ou")


def test_a_terminal_that_knows_no_letters_beyond_ascii(folder: Path) -> None:
    (folder / "baño.jpg").write_bytes(jpeg())
    ascii_only = "import sys\nsys.stdout.reconfigure(encoding='ascii')"
    done = dminity(folder, "predict", "baño.jpg", prelude=ascii_only)
    assert not errors(done)
    assert "ba\\xf1o.jpg" in done.stdout
