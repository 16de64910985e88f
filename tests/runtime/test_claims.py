"""What owners claim, and files that do not say it."""

from pathlib import Path

import pytest

from dminity.runtime.claims import BadClaims, read_claims

CLASSES = ("Bed", "Kitchen & dining room table", "Jacuzzi")
HOMES = ("flat-1", "flat-2")


def read(path: Path, content: bytes | str, homes: tuple[str, ...] = HOMES) -> dict[str, set[str]]:
    """The claims in a file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return {home: set(claims) for home, claims in read_claims(path, homes, CLASSES).items()}


@pytest.mark.parametrize(
    "content",
    [
        "home,amenity\nflat-1,Bed\nflat-1,Jacuzzi\n",
        "\ufeffhome,amenity\r\nflat-1,Bed\r\nflat-1,Jacuzzi\r\n",
        "amenity , floor, home\n BED ,2,flat-1\n\n\njacuzzi,,flat-1\nBed,1,flat-1",
        '"home","amenity"\n"flat-1","Bed"\n"flat-1","Jacuzzi"\n',
    ],
    ids=["plain", "of a spreadsheet", "with blanks", "in quotes"],
)
def test_claims_of_many_homes(tmp_path: Path, content: str) -> None:
    assert read(tmp_path / "c.csv", content) == {"flat-1": {"Bed", "Jacuzzi"}, "flat-2": set()}


def test_claims_of_one_home_need_not_name_it(tmp_path: Path) -> None:
    table = '"kitchen & dining room table"'
    assert read(tmp_path / "c.csv", f"amenity\nBed\n{table}\n", ("flat",)) == {
        "flat": {"Bed", "Kitchen & dining room table"}
    }
    assert read(tmp_path / "c.csv", "amenity,home\nBed,flat\n", ("flat",)) == {"flat": {"Bed"}}
    assert read(tmp_path / "c.csv", "amenity,home\n", ("flat",)) == {"flat": set()}


def test_a_home_is_known_however_its_accents_are_stored(tmp_path: Path) -> None:
    homes = ("Ma\u0301laga", "C\u00e1diz")
    claims = read(tmp_path / "c.csv", "home,amenity\nM\u00e1laga,Bed\nCa\u0301diz,Bed\n", homes)
    assert claims == {home: {"Bed"} for home in homes}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "home,amenity\nflat-1,Bed\nflat-1,Jacuzi\n",
            "line 3: there is no amenity 'Jacuzi'; did you mean 'Jacuzzi'?",
        ),
        ("home,amenity\nflat-1,Sauna\n", "line 2: there is no amenity 'Sauna'; there are Bed, Kit"),
        ("home,amenity\nflat-1\n", "line 2: there is no amenity ''"),
        ("home,amenity\nflat1,Bed\n", "line 2: there is no home 'flat1'; did you mean 'flat-1'?"),
        ("home,amenity\n,Bed\n", "line 2: there is no home ''; there are flat-1, flat-2"),
        ("amenity\nBed\n", "no column 'home' for several homes: its first line has 'amenity'"),
        ("home,name\nflat-1,Bed\n", "no column 'amenity': its first line has 'home', 'name'"),
        ("home;amenity\nflat-1;Bed\n", "first line has 'home;amenity'; name the columns there, wi"),
        ("", "no column 'amenity': its first line has nothing"),
        ("home,amenity\nflat-1,Sof\u00e1\n".encode("cp1252"), "is not in UTF-8 (byte 23); save it"),
        (
            "home,amenity\nflat-1,Bed\n".encode("utf-16"),
            "is not in UTF-8 (byte 0); save it as `CSV",
        ),
        ('home,amenity\nflat-1,"Bed"x\n', "line 2 is no CSV: "),
        ('home,amenity\nflat-1,"Bed\n', "line 2 is no CSV: "),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    tmp_path: Path, content: bytes | str, message: str
) -> None:
    with pytest.raises(BadClaims) as caught:
        read(tmp_path / "claims.csv", content)
    assert message in str(caught.value)
    assert str(tmp_path / "claims.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadClaims, match="no such file; correct the path after --claims"):
        read_claims(tmp_path / "claims.csv", HOMES, CLASSES)
    with pytest.raises(BadClaims, match="is a folder; name the file"):
        read_claims(tmp_path, HOMES, CLASSES)
