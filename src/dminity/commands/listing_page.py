"""The page of `listing --html`: one file, with the evidence in it, that loads nothing."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from dminity.core.files import replacing_file
from dminity.runtime.inputs import printable
from dminity.runtime.listing import Home, Listed

STYLE = """
:root { color-scheme: light dark; --line: #d4d4d8; --soft: #52525b; --good: #166534;
  --odd: #9a3412; }
@media (prefers-color-scheme: dark) { :root { --line: #3f3f46; --soft: #a1a1aa; --good: #86efac;
  --odd: #fdba74; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin: 2rem 0 0; overflow-wrap: anywhere; }
p, figcaption span { color: var(--soft); margin: 0; }
ul { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr));
  list-style: none; margin: 1rem 0; padding: 0; }
li { border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; }
figure { margin: 0; } figcaption { padding: .5rem .75rem .75rem; overflow-wrap: anywhere; }
img { background: var(--line); display: block; height: 12rem; object-fit: contain; width: 100%; }
strong, span { display: block; } .confirmed { color: var(--good); }
.not-seen, .not-claimed { color: var(--odd); }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{homes}
</body>
</html>
"""


def write_page(homes: Sequence[Home], path: Path) -> None:
    """Write the page, whole or not at all."""
    title = "Amenities of this home" if len(homes) == 1 else f"Amenities of {len(homes)} homes"
    sections = "\n".join(map(_section, homes))
    page = PAGE.format(title=title, style=STYLE, homes=sections)
    with replacing_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _text(text: str) -> str:
    """A text that comes from outside, in one line, as HTML has it."""
    return escape(printable(text))


def _section(home: Home) -> str:
    """A home."""
    items = "\n".join(map(_item, home.amenities))
    amenities = f"<ul>\n{items}\n</ul>" if items else "<p>No amenity is seen.</p>"
    photos = "1 photo" if home.photos == 1 else f"{home.photos} photos"
    return f"<section>\n<h2>{_text(home.name)}</h2>\n<p>{photos}</p>\n{amenities}\n</section>"


def _item(listed: Listed) -> str:
    """An amenity with its evidence."""
    picture, facts = "", ""
    if seen := listed.evidence:
        data = base64.b64encode(seen.cutout).decode()
        alternative = f"{_text(listed.amenity)}, cut out of {_text(seen.photo)}"
        picture = f'<img src="data:image/jpeg;base64,{data}" alt="{alternative}">'
        facts = (
            f"<span>at least {listed.at_least}, confidence {listed.confidence:.0%}</span>"
            f"<span>{_text(seen.photo)}</span>"
        )
    verdict = ""
    if listed.verdict:
        kind = listed.verdict.replace(" ", "-")
        verdict = f'<span class="{kind}">{listed.verdict}</span>'
    caption = f"<strong>{_text(listed.amenity)}</strong>{facts}{verdict}"
    return f"<li><figure>{picture}<figcaption>{caption}</figcaption></figure></li>"
