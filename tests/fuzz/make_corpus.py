#!/usr/bin/env python3
"""Writes the seed corpora of the fuzz targets: one folder and one dictionary per target below the given folder.

Stanzas come from tests/proto (golden and reject), laid out for reading there and without layout
here; seeds/ has what no stanza has. Files are named by their content, so a second run changes nothing.
"""

import hashlib
import pathlib
import re
import sys
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent / "proto"
STREAM = ("<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='meet.test' version='1.0'>")
JSON_ELEMENTS = ("{http://jitsi.org/jitmeet}json-message", "{jabber:client}SourceInfo")


def stanza_texts(protocol: str = "*") -> list[str]:
    paths = sorted(PROTO.glob(f"golden/{protocol}/*.xml")) + sorted(PROTO.glob(f"reject/{protocol}/*.xml"))
    return [re.sub(r">\s+<", "><", path.read_text(encoding="utf-8").strip()) for path in paths]


def json_texts() -> list[str]:
    found = []
    for text in stanza_texts():
        for element in xml.etree.ElementTree.fromstring(text).iter():
            if element.tag in JSON_ELEMENTS and element.text:
                found.append(element.text)
    return found


def sequences(texts: list[str]) -> list[str]:
    """What one participant might send in a row."""
    return ["<sequence>" + "".join(texts[i:i + 4]) + "</sequence>" for i in range(len(texts))]


def xml_streams() -> list[bytes]:
    streams = [(STREAM + text + "</stream:stream>").encode() for text in stanza_texts()]
    streams.append((STREAM + "".join(stanza_texts("ping") * 3) + "</stream:stream>").encode())
    # The sizes of the pieces stand behind a NUL byte.
    return [stream + pieces for i, stream in enumerate(streams) for pieces in [(b"", b"\0\3\1\7")[i % 2]]]


def corpora() -> dict[str, list[bytes]]:
    jingle = stanza_texts("jingle")
    made = {
        "xml_stream": xml_streams(),
        "jingle": [text.encode() for text in jingle + sequences(jingle)],
        "json": [text.encode() for text in json_texts()],
        "stanza": [text.encode() for text in stanza_texts()],
    }
    for target, inputs in made.items():
        inputs += [path.read_bytes() for path in sorted((HERE / "seeds" / target).glob("*"))]
    return made


def dictionary(inputs: list[bytes]) -> str:
    """The words of the corpus, for the fuzzer to put elsewhere."""
    words: set[str] = set()
    for data in inputs:
        words.update(re.findall(r"[A-Za-z0-9:/.#_-]{2,60}", data.decode("utf-8", errors="ignore")))
    return "".join(f'"{word}"\n' for word in sorted(words))


def main() -> int:
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} FOLDER", file=sys.stderr)
        return 2
    for target, inputs in corpora().items():
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        folder.with_suffix(".dict").write_text(dictionary(inputs), encoding="utf-8")
        wanted = {hashlib.sha1(data).hexdigest(): data for data in inputs}
        for stale in folder.iterdir():
            if stale.name not in wanted:
                stale.unlink()
        for name, data in wanted.items():
            if not (folder / name).exists():
                (folder / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
