"""docs/report.png: the page that it shows, and the text of that page inside the picture, by which scripts/check_docs sees
that the picture is out of date. scripts/make_picture makes it."""
import html.parser
import os
import re
import struct
import subprocess
import zlib

# README.md names them.
COMMAND = ["compare", "--plant", "dvar-path-forgotten", "--tensor", "dbn*", "--format", "html", "--output", "report.html"]
SIZE = re.compile(r"`--tensor 'dbn\*' --format html --output report\.html`, in\s+Chromium\s+at (\d+) × (\d+) pixels")
KEYWORD = b"Page"
# For the program: OpenBLAS has other kernels for other CPUs, with other last digits.
KERNELS = {"OPENBLAS_CORETYPE": "Haswell"}


class Text(html.parser.HTMLParser):
    """The lines of text of a page."""

    def __init__(self, page):
        super().__init__()
        self.lines, self.hidden = [], 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("style", "script", "title")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "script", "title")

    def handle_data(self, data):
        if not self.hidden and data.strip():
            self.lines.append(" ".join(data.split()))


def lines_of_page(byhand, folder):
    """Writes report.html in the folder, and returns its lines of text down to the table, of which the picture has little.
    (The exit code is 1: a mistake is planted.)"""
    done = subprocess.run([byhand, *COMMAND], cwd=folder, env={**os.environ, **KERNELS}, capture_output=True, text=True,
                          check=False)
    if done.returncode != 1:
        raise RuntimeError(done.stderr)
    lines = Text((folder / "report.html").read_text()).lines
    return lines[:lines.index("Tensor by tensor") + 1]


def with_text(png, lines):
    """The picture with the lines in a chunk iTXt, before its last chunk."""
    data = KEYWORD + b"\0\1\0\0\0" + zlib.compress("\n".join(lines).encode(), 9)
    chunk = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    return png[:-12] + chunk + png[-12:]


def text_in(png):
    """The lines in a picture; none if it has none."""
    at = 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        data = png[at + 8:at + 8 + length]
        if kind == b"iTXt" and data.startswith(KEYWORD + b"\0\1\0\0\0"):
            return zlib.decompress(data[len(KEYWORD) + 5:]).decode().split("\n")
        at += 12 + length
    return []
