"""The lab's --html: one page that is whole, loads nothing, and tells what --json tells of the same run.

Each run is one call of the lab that writes both. The bugs this would catch: a segment left out or under another time, a
name that is taken for markup, a page that depends on anything but the settings, a command that repeats another run.
"""
import html.parser
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

LAB = sys.argv[1]
VOID = {"meta", "input", "br", "link", "img", "hr"}
LOADS = {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}
LINE = re.compile(r"(\d+) > (\d+): Flags \[(.*?)\], seq (\d+)(?:, ack (\d+))?, win \d+(?:, options \[.*\])?,"
                  r" length (\d+)( \(lost\))?$")
RUNS = {
    "three clients": "--clients 3",
    "aborts": "--backlog 0 --abort-on-overflow 1 --clients 4",
    "losses": "--loss 0.3 --clients 5 --seed 7 --rtt 0.05 --data-after 0.25",
    "cookies": "--preset linux-6.18 --backlog 2 --syncookies 1 --clients 12 --gap 0 --accept once=4.5",
    "fast open": "--preset linux-6.18 --fast-open --clients 3 --accept always",
    "preload": "--backlog 4 --preload 5 --lose-acks-until 0.7 --until 3.25",
    "sweep": "--preset linux-2.6.32 --seed 2 --echo --accept at=2",
    "nobody": "--clients 0",
}
wrong = []


def check(name, what, found, expected):
    if found != expected:
        wrong.append(f"{name}: {what}: {found!r}, expected {expected!r}")


class Page(html.parser.HTMLParser):
    """Texts by element, and every complaint about how the elements are nested."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.complaints, self.rows, self.ids = [], [], [], []
        self.texts = {"h1": [], "pre": [], "td": [], "title": []}
        self.into = None
        self.feed(text)
        self.close()
        if self.open:
            self.complaints.append(f"left open: {self.open}")

    def handle_starttag(self, tag, attributes):
        if tag in VOID:
            self.handle_startendtag(tag, attributes)
            return
        self.look(tag, attributes)
        self.open.append(tag)
        if tag in self.texts:
            self.texts[tag].append("")
        if tag == "li":
            self.rows.append({"time": "", "exact": "", "why": [], "lanes": ("class", "lanes") in attributes})
        self.into = {"time": "time", "small": None, "p": dict(attributes).get("class")}.get(tag, self.into)
        if self.into == "why" and self.rows and "li" in self.open:
            self.rows[-1]["why"].append("")

    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)

    def look(self, tag, attributes):
        if tag in ("script", "link", "iframe", "object", "embed", "base"):
            self.complaints.append(f"<{tag}> in the page")
        for name, value in attributes:
            if name in LOADS or name.startswith("on"):
                self.complaints.append(f"<{tag} {name}={value!r}>")
            if name == "id":
                self.ids.append(value)
        if len({name for name, _ in attributes}) < len(attributes):
            self.complaints.append(f"<{tag}> has an attribute twice")

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.complaints.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()
        self.into = None if tag in ("p", "time", "small", "li") else self.into

    def handle_data(self, text):
        for tag in self.texts:
            if tag in self.open:
                self.texts[tag][-1] += text
        if not self.rows or "li" not in self.open:
            return
        row = self.rows[-1]
        if self.into == "time":
            row["time"] += text
        elif self.into and self.into.startswith("exact"):
            row["exact"] += text
        elif self.into == "why":
            row["why"][-1] += text


def run(folder, options):
    page, record = folder / "page.html", folder / "run.json"
    subprocess.run([LAB, *shlex.split(options), "--html", page, "--json", record], check=True, timeout=300,
                   stdout=subprocess.DEVNULL)
    return page.read_text(encoding="utf-8"), json.loads(record.read_text())


def microseconds(text):
    whole, fraction = text.split(".")
    assert len(fraction) == 6, text
    return int(whole) * 1_000_000 + int(fraction)


def look(name, text, record):
    page = Page(text)
    check(name, "well-formed", page.complaints, [])
    check(name, "names used twice", len(page.ids) - len(set(page.ids)), 0)
    check(name, "addresses", re.findall(r"url\(|@import|https?:", text), [])
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        xml.etree.ElementTree.fromstring(drawing)

    rows = [row for row in page.rows if row["exact"]]
    first = microseconds(rows[0]["time"]) if rows else 0
    check(name, "the first SYN", first, round(record["clients"][0]["start"] * 1e6) if rows else 0)
    segments = []
    for row in rows:
        found = LINE.match(row["exact"])
        if not found:
            wrong.append(f"{name}: cannot read {row['exact']!r}")
            continue
        source, destination, flags, seq, ack, length, lost = found.groups()
        port = int(source if destination == "20000" else destination)
        segments.append([microseconds(row["time"]) - first, port - 30001, "c>s" if destination == "20000" else "s>c",
                         "" if flags == "none" else flags, int(seq), int(ack or 0), int(length)])
    of_json = [[at, *rest] for at, _, *rest in record["packets"]]
    check(name, "segments", sorted(segments), sorted(of_json))
    drawn_lost = text.count('class="cross"')
    check(name, "crosses", drawn_lost, sum(row["exact"].endswith("(lost)") for row in rows))

    table = "\n".join(page.texts["pre"])
    for counter, value in record["nstat"].items():
        check(name, counter, f"\n{counter} {value}\n" in "\n" + table, True)
    for cause in record["causes"]:
        check(name, "cause " + cause["verdict"], cause["verdict"] in page.texts["td"], True)
    check(name, "clients in the table", sum(cell in {str(c["port"]) for c in record["clients"]}
                                            for cell in page.texts["td"]), len(record["clients"]))
    for moment in record["snaps"].values():
        check(name, "sockets", all(port in table for port in {**moment["server"], **moment["client"]}), True)
    return page


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pages = {}
        for title, options in RUNS.items():
            text, record = run(folder, options)
            pages[title] = text
            page = look(title, text, record)
            command = next(block for block in page.texts["pre"] if block.startswith("./examples/run "))
            again, same = run(folder, command.removeprefix("./examples/run "))
            check(title, "the command in the page repeats the run", same, record)
            check(title, "the same run twice, byte for byte", again == text, True)
            print(f"{title}: {len(text)} bytes, {len(record['packets'])} segments; {command}")
        check("three clients", "size below 200 KB", len(pages["three clients"].encode()) < 200_000, True)
        check("losses", "has lost segments", 'class="cross"' in pages["losses"], True)

        third = [row for row in Page(pages["three clients"]).rows
                 if row["exact"].startswith("30003 >") and "length 0" in row["exact"]]
        check("three clients", "why beside the third client's ACK",
              any("sk_ack_backlog 2 > 1" in why for row in third for why in row["why"]), True)
        check("aborts", "escaped", "sk_ack_backlog 1 &gt; 0" in pages["aborts"]
              and "sk_ack_backlog 1 > 0" not in pages["aborts"], True)
        text, record = run(folder, "--clients 3000 --gap 0 --until 1")
        check("many clients", "says what it left out",
              f"{len(record['packets']) - 5000} more segments are not drawn" in text, True)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


sys.exit(main())
