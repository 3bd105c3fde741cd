"""Makes the page's lists of emoji, `static/tertulia/vendor/emoji/{en,es}.json`.

    npm pack emojibase-data@17.0.0 && tar xzf emojibase-data-17.0.0.tgz
    .venv/bin/python tools/emoji.py package

The argument is the unpacked package. Both files have the emoji in the same order, group by
group; only the English one says which they are:

    en.json  {"groups": [name, …], "emoji": [[[emoji, name, codes, words, tones?], …], …]}
    es.json  {"groups": [name, …], "emoji": [[[name, words], …], …]}

`codes` are short codes and `words` what else an emoji is found by, both with spaces between.
`tones` says how a skin tone is put in: 1 after the first character, 2 also after the first one
of the last part of a sequence. Emoji that come in no tone lack it.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parents[1] / "src/tertulia/chat/static/tertulia/vendor/emoji"

# The newest version of Emoji that systems of the last years show.
NEWEST = 15.1

# Groups of the source in the order of the picker, with our names. "component" (2) holds tones
# and hair, which are no emoji of their own.
GROUPS = {
    0: {"en": "Faces and feelings", "es": "Caras y emociones"},
    1: {"en": "People", "es": "Personas"},
    3: {"en": "Animals and nature", "es": "Animales y naturaleza"},
    4: {"en": "Food and drink", "es": "Comida y bebida"},
    5: {"en": "Travel and places", "es": "Viajes y lugares"},
    6: {"en": "Activities", "es": "Actividades"},
    7: {"en": "Objects", "es": "Objetos"},
    8: {"en": "Symbols", "es": "Símbolos"},
    9: {"en": "Flags", "es": "Banderas"},
}

TONE = "\U0001f3fb"
VARIATION, JOINER = "\ufe0f", "\u200d"


def main() -> None:
    package = Path(sys.argv[1])
    english, spanish = (read(package / code / "data.json") for code in ("en", "es"))
    codes = short_codes(package / "en" / "shortcodes")
    groups = [
        sorted(
            (entry for entry in english.values() if wanted(entry, group)),
            key=lambda entry: entry["order"],
        )
        for group in GROUPS
    ]
    first = [[english_line(entry, codes) for entry in entries] for entries in groups]
    second = [[spanish_line(spanish[entry["hexcode"]]) for entry in entries] for entries in groups]
    write("en", first)
    write("es", second)


def read(path: Path) -> dict[str, dict[str, Any]]:
    return {entry["hexcode"]: entry for entry in json.loads(path.read_text())}


def short_codes(folder: Path) -> dict[str, list[str]]:
    """Hexcode to codes: GitHub's first, since they are the ones that people know."""
    found: dict[str, list[str]] = {}
    for preset in ("github", "emojibase"):
        for hexcode, codes in json.loads((folder / f"{preset}.json").read_text()).items():
            known = found.setdefault(hexcode, [])
            each = [codes] if isinstance(codes, str) else codes
            known.extend(code for code in each if code not in known)
    return found


def wanted(entry: dict[str, Any], group: int) -> bool:
    return entry.get("group") == group and entry["version"] <= NEWEST


def english_line(entry: dict[str, Any], codes: dict[str, list[str]]) -> list[Any]:
    own = codes.get(entry["hexcode"], [])
    # A code that is the name with other spaces is found by the name.
    named = "_".join(terms(entry["label"]))
    shown = [code for i, code in enumerate(own) if i == 0 or code != named]
    words = search_words(entry, " ".join(shown))
    line = [written(entry), entry["label"], " ".join(shown), words]
    return [*line, tones(entry)] if entry.get("skins") else line


def spanish_line(entry: dict[str, Any]) -> list[Any]:
    return [entry["label"], search_words(entry)]


def written(entry: dict[str, Any]) -> str:
    """The emoji as keyboards write it, so that equal reactions are equal.

    The source puts a variation selector behind some that are pictures without it.
    """
    emoji = str(entry["emoji"])
    pictured = entry["type"] == 1 and "FE0F" not in entry["hexcode"].split("-")
    return emoji.removesuffix(VARIATION) if pictured else emoji


def terms(text: str) -> list[str]:
    """Words of a text without case and accents, as the page's search folds them."""
    plain = "".join(
        char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)
    )
    return re.findall(r"[^\W_]+", plain.lower())


def search_words(entry: dict[str, Any], codes: str = "") -> str:
    """What an emoji is found by that its name and codes do not begin with."""
    have = terms(f"{entry['label']} {codes}")
    words = dict.fromkeys(word for tag in entry.get("tags", []) for word in terms(tag))
    return " ".join(word for word in words if not any(each.startswith(word) for each in have))


def tones(entry: dict[str, Any]) -> int:
    """How the tones of the source come about; an error if it is neither way that we know."""
    light = next(skin["emoji"] for skin in entry["skins"] if skin.get("tone") == 1)
    for way in (1, 2):
        if toned(written(entry), way).removesuffix(VARIATION) == light.removesuffix(VARIATION):
            return way
    raise SystemExit(f"{entry['label']}: its skin tones follow no known rule")


def toned(emoji: str, way: int) -> str:
    """As `toned` in page/emoji/data.js has it."""
    parts = emoji.split(JOINER)
    marked = {0, len(parts) - 1} if way == 2 else {0}
    return JOINER.join(
        part[0] + TONE + part[1:].removeprefix(VARIATION) if i in marked else part
        for i, part in enumerate(parts)
    )


def write(language: str, emoji: list[list[list[Any]]]) -> None:
    content = {"groups": [names[language] for names in GROUPS.values()], "emoji": emoji}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (VENDOR / f"{language}.json").write_text(text + "\n")
    print(f"{language}.json: {sum(map(len, emoji))} emoji, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
