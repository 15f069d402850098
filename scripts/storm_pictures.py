#!/usr/bin/env python3
"""Takes the plots of scenarios out of a storm report and writes one SVG each: the pictures of docs/selection.md.

usage: storm_pictures.py REPORT.html FOLDER SCENARIO...
"""

import html
import pathlib
import re
import sys

WIDTH, HEIGHT, COLUMNS, TITLE = 262, 132, 3, 16
STYLE = """text{font:10px system-ui,sans-serif;fill:#6b6a66}.t{font-weight:600;font-size:12px;fill:#1a1a19}
.band{fill:#bcd4f0}.median{fill:none;stroke:#2a6fbd;stroke-width:1.5}.peak{fill:none;stroke:#8a3f0a;stroke-width:1.2}
.limit{stroke:#c2362b;stroke-dasharray:4 3}.axis{stroke:#dddcd8}"""


def picture(section: str) -> str:
    figures = re.findall(r"<figcaption>(.*?)</figcaption>.*?<svg[^>]*>(.*?)</svg>", section, re.S)
    if not figures:
        figures = [(caption, plot) for plot, caption in
                   re.findall(r"<svg[^>]*>(.*?)</svg>\s*<figcaption>(.*?)</figcaption>", section, re.S)]
    rows = (len(figures) + COLUMNS - 1) // COLUMNS
    width, height = COLUMNS * WIDTH, rows * (HEIGHT + TITLE)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
             f"<style>{STYLE}</style>", f'<rect width="{width}" height="{height}" fill="#fcfcfb"/>']
    for index, (caption, plot) in enumerate(figures):
        x, y = index % COLUMNS * WIDTH, index // COLUMNS * (HEIGHT + TITLE)
        name = html.escape(re.sub(r"<.*?>", "", caption).strip())
        plot = re.sub(r"<title>.*?</title>", "", plot, flags=re.S)
        parts.append(f'<g transform="translate({x} {y})"><text class="t" x="6" y="12">{name}</text>'
                     f'<g transform="translate(0 {TITLE})">{plot}</g></g>')
    return "".join(parts) + "</svg>\n"


def main() -> int:
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    report, folder, wanted = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    for section in re.split(r"<h2>", report)[1:]:
        name = re.match(r"[A-Za-z0-9]+", section)
        if name and name.group(0) in wanted:
            (folder / f"{name.group(0).lower()}.svg").write_text(picture(section))
            wanted.remove(name.group(0))
    if wanted:
        print("not in the report:", *wanted, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
