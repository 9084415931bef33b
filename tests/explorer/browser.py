#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The explorer's page in a real browser, without a network: Chromium, headless, one for all checks.

usage: browser.py run SITE NATIVE LAB RESULTS [SHOTS]   does all checks, leaves RESULTS/CHECK.txt for each
       browser.py check NAME RESULTS                    says how that one went
       browser.py names                                 lists them
Exit status 77 when something that is needed is not there.

`run` serves SITE with http.server on 127.0.0.1. As root, both are in a network namespace of their own where there is
nothing but the loopback interface. What a story leaves behind is compared with what NATIVE, the same engine as a
native program, answers to the same script. SHOTS gets a picture of each story.
"""
import contextlib
import ctypes
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import webdriver
from engine import Engine, at_path

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77
WIDTHS = (360, 800, 1400)
MOST_BYTES = 1_000_000
CLONE_NEWNET = 0x40000000


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain file server; it remembers what it was asked for and did not have."""
    missing = []
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript",
                      ".wasm": "application/wasm", ".json": "application/json"}

    def log_message(self, *_):
        pass

    def send_error(self, code, *rest, **more):
        self.missing.append(f"{code} {self.path}")
        super().send_error(code, *rest, **more)


def cut_off():
    """Moves into a network namespace where only loopback is up. Says whether that was possible."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return True


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def differences(ours, theirs, path=""):
    """Where two JSON values differ, as sentences. Who had a client made, the reader or a story, is no difference."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            if key == "kind" and ".clients." in path:
                continue
            yield from differences(ours.get(key, "nothing"), theirs.get(key, "nothing"), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs)):
            yield from differences(a, b, f"{path}.{i}")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield f"{path.lstrip('.')}: {str(ours)[:200]} in the browser, {str(theirs)[:200]} natively"


class Checks:
    """Each `check_NAME` yields sentences about what is wrong; what it prints is told anyway."""

    def __init__(self, browser, site, url, program, lab, shots, alone):
        self.b, self.site, self.url, self.native, self.lab = browser, site, url, Engine(program), lab
        self.shots, self.alone = shots, alone
        self.stories = json.loads((site / "stories.json").read_text(encoding="utf-8"))
        self.asked = set()      # all requests
        self.complaints = []    # of the console

    # -- the page ------------------------------------------------------------------------------------------------

    def open(self, fragment="", url=None):
        self.gather()
        self.b.open("about:blank")
        self.b.open(url or f"{self.url}/index.html{'#' if fragment else ''}{fragment}")
        self.b.execute((HERE / "look.js").read_text(encoding="utf-8"))
        if url is None:
            self.settle()

    def settle(self):
        """Until the page has drawn what it knows."""
        self.b.execute("return window.explorer.ready.then(() => new Promise(r => requestAnimationFrame(() =>"
                       " requestAnimationFrame(() => setTimeout(r, 0)))))")

    def gather(self):
        """What the console and the network had to say since the last time."""
        self.asked.update(self.b.requests())
        self.complaints += [f"{level}: {message}" for level, message in self.b.console()
                            if level not in ("DEBUG", "INFO")]

    def state(self, world=0):
        return self.b.execute("return window.explorer.state(arguments[0])", world)

    def progress(self):
        found = re.search(r"step (\d+) of (\d+)", self.b.execute("return document.getElementById('story-progress').textContent"))
        return int(found[1]) if found else 0

    def tell(self, story, press):
        """Goes through a story by `press`, which is Next; yields complaints."""
        steps = len(story["steps"])
        for step in range(1, steps + 1):
            press()
            if self.progress() != step:
                yield f"{story['id']}: at step {self.progress()} after pressing Next {step} times"
                return
            text = self.b.execute("return document.getElementById('story-text').textContent")
            if "{" in text or "undefined" in text or len(text) < 20:
                yield f"{story['id']}: step {step} says {text!r}"

    def next(self):
        self.b.click("#story-next")

    def next_and_skip(self):
        """Where things move: Next, and again while the clock runs, to be there at once."""
        self.b.execute("const next = document.getElementById('story-next'); next.click();"
                       " if (next.textContent === 'Skip ahead') next.click();")

    def worlds(self, story):
        yield 0, story["settings"]
        if story["side_by_side"]:
            beside = story["side_by_side"]
            tunables = {**story["settings"].get("tunables", {}), **beside.get("tunables", {})}
            yield 1, {**story["settings"], **beside, "tunables": tunables}

    def ended(self, story):
        """Complaints about what a story that is over has left behind."""
        promises = [(0, *p) for p in story["end"].items()] + [(1, *p) for p in story.get("other_end", {}).items()]
        for world, path, expected in promises:
            if path.startswith("other."):
                world, path = 1, path.removeprefix("other.")
            try:
                found = at_path(self.state(world), path)
            except IndexError:
                found = "nothing"
            if found != expected:
                yield f"{story['id']}, world {world}: {path} is {found}, the story says {expected}"
        for world, settings in self.worlds(story):
            actions = [a for a in story["actions"] if world == 0 or not self.own(story, a)]
            wanted = self.native.ask("script", world=world, settings=settings, actions=actions, until=story["until"])
            yield from (f"{story['id']}, world {world}: {d}" for d in differences(self.state(world), wanted))

    @staticmethod
    def own(story, action):
        beside = story["side_by_side"]
        return "set" in action and (action["set"] in beside or action["set"] in beside.get("tunables", {}))

    # -- the checks ----------------------------------------------------------------------------------------------

    def check_stories(self):
        """Every story, step by step through the page: the end it promises, and the native engine's end."""
        for story in self.stories:
            self.open(f"story={story['id']}")
            if story["steps"][-1]["at"] != story["until"]:
                yield f"{story['id']}: its last step is not its end"
            yield from self.tell(story, self.next)
            yield from self.ended(story)
            state = self.state()
            print(f"{story['id']}: {len(story['steps'])} steps, {len(json.dumps(state))} bytes of state,"
                  f" {len(story['end'])} promises")
            if self.shots:
                self.b.screenshot(self.shots / f"{story['id']}.png")
        self.b.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "no-preference"}])
        story = self.stories[0]
        self.open(f"story={story['id']}")
        yield from self.tell(story, self.next_and_skip)
        yield from self.ended(story)
        print(f"{story['id']}: the same while it moves")

    def check_size(self):
        """The site is small, and the first picture comes before the engine has been read."""
        files = {p.relative_to(self.site): p.stat().st_size for p in self.site.rglob("*") if p.is_file()}
        for path, size in sorted(files.items(), key=lambda item: -item[1]):
            print(f"{size:8d} {path}")
        print(f"{sum(files.values()):8d} together; allowed are {MOST_BYTES}")
        if sum(files.values()) >= MOST_BYTES:
            yield f"{sum(files.values())} bytes"
        self.open()
        paint = self.b.wait("return performance.getEntriesByType('paint').map(e => [e.name, e.startTime])")
        print("first pictures, ms:", {name: round(t) for name, t in paint})

    def each_look(self):
        """The page in the states that look different."""
        self.open()
        yield "first"
        for story in (self.stories[0], next(s for s in self.stories if s["side_by_side"])):
            self.open(f"story={story['id']}&step={len(story['steps'])}")
            yield f"end of {story['id']}"
        self.b.execute("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        yield "everything unfolded"

    def check_widths(self):
        """No width makes the page scroll sideways."""
        for width in WIDTHS:
            self.b.size(width, 800)
            for what in self.each_look():
                wide = self.b.execute("return look.wide()")
                print(f"{width}, {what}: {'too wide' if wide else 'fits'}")
                if wide:
                    yield f"{width}, {what}: {'; '.join(wide)}"
        for story in self.stories:
            self.b.size(360, 800)
            self.open(f"story={story['id']}&step={len(story['steps'])}")
            wide = self.b.execute("return look.wide()")
            if wide:
                yield f"360, {story['id']}: {'; '.join(wide)}"
            if self.shots and story is self.stories[0]:
                self.b.scheme("dark")
                for width in WIDTHS:
                    self.b.size(width, 800)
                    self.b.screenshot(self.shots / f"{story['id']}-{width}-dark.png")
                self.b.scheme("light")

    ROLES = {"button", "link", "combobox", "textbox", "spinbutton", "slider", "checkbox", "radio", "searchbox", "switch",
             "listbox", "menuitem", "tab", "DisclosureTriangle", "dialog", "image", "img", "region"}

    def check_names(self):
        """Whoever does not see the page is told what each control is."""
        for what in self.each_look():
            nodes = self.b.devtools("Accessibility.getFullAXTree")["nodes"]
            roles = {}
            for node in nodes:
                role = node.get("role", {}).get("value")
                if node.get("ignored") or role not in self.ROLES:
                    continue
                roles[role] = roles.get(role, 0) + 1
                if not node.get("name", {}).get("value", "").strip():
                    yield f"{what}: a {role} without a name: {self.markup(node.get('backendDOMNodeId'))}"
            print(f"{what}: {roles}")
            if roles.get("button", 0) < 5:
                yield f"{what}: hardly any buttons; is this the page?"

    def markup(self, node):
        with contextlib.suppress(webdriver.WebDriverError):
            return self.b.devtools("DOM.getOuterHTML", backendNodeId=node)["outerHTML"][:120]
        return "?"

    def comes_into_sight(self):
        """Whether what has the focus is to be seen within a second: a busy browser scrolls a frame after it moved it."""
        with contextlib.suppress(webdriver.WebDriverError):
            return self.b.wait("return look.focus()?.inside", seconds=1)
        return False

    def check_keyboard(self):
        """Tab comes to every control and one sees where it is; a story can be followed without a mouse."""
        for what in self.each_look():
            controls = self.b.execute("return look.controls()")
            self.b.execute("document.activeElement?.blur(); scrollTo(0, 0)")
            reached = set()
            for _ in range(2 * len(controls) + 20):  # what scrolls is a stop, too
                self.b.keys("Tab")
                focus = self.b.execute("return look.focus()")
                if not focus:
                    continue
                if focus["at"] in reached and len(reached) == len(controls):
                    break
                reached.add(focus["at"])
                if not focus["ring"]:
                    yield f"{what}: no sign of the focus at {focus['name']}"
                if not focus["inside"] and not self.comes_into_sight():
                    yield (f"{what}: the focus is out of sight at {focus['name']},"
                           f" {self.b.execute('return look.place()')}")
            missed = [c for i, c in enumerate(controls) if i not in reached]
            print(f"{what}: {len(controls)} controls, {len(controls) - len(missed)} reached by Tab")
            if missed:
                yield f"{what}: Tab does not reach {missed}"
            for i in range(self.b.execute("return look.lists()")):
                first = self.b.execute("return look.begin(arguments[0])", i)
                self.b.keys("Down")
                if not self.b.execute("return look.moved()"):
                    yield f"{what}: neither Tab nor an arrow key goes on from {first}"
        story = self.stories[1]
        self.open(f"story={story['id']}")
        for _ in range(100):
            self.b.keys("Tab")
            if (self.b.execute("return look.focus()") or {}).get("id") == "story-next":
                break
        yield from self.tell(story, lambda: self.b.keys("Enter"))
        yield from self.ended(story)
        story = self.stories[0]
        self.open(f"story={story['id']}")
        yield from self.tell(story, lambda: self.b.keys("n"))
        yield from self.ended(story)

    def check_contrast(self):
        """All text can be read, in light and in dark."""
        for scheme in ("light", "dark"):
            self.b.scheme(scheme)
            for width in (360, 1400):
                self.b.size(width, 900)
                for what in self.each_look():
                    found = self.b.execute("return look.faint()")
                    print(f"{scheme}, {width}, {what}: {self.b.execute('return look.texts()')} texts, {len(found)} too faint")
                    for text in found[:6]:
                        yield f"{scheme}, {width}, {what}: {text}"

    def play(self):
        """A few things that a reader might do, each a click. The address bar follows with the next picture."""
        self.open("t=0&backlog=1")
        for act in ("syn", "syn", "syn", "accept", "syn", "raw_syn"):
            self.b.click(f"[data-act={act}]")
            for _ in range(4):
                self.b.click("#step")
        self.settle()

    def check_links(self):
        """The address bar brings back what was seen; a broken address is said in a sentence and breaks nothing."""
        self.play()
        before = self.state()
        address = self.b.execute("return location.href")
        print(address)
        self.open(url=address)
        self.settle()
        yield from (f"reopened: {d.replace('natively', 'before')}" for d in differences(self.state(), before))
        if before["totals"]["clients"] < 4:
            yield f"only {before['totals']['clients']} clients came of four SYNs"
        for broken in ("backlog=many", "nonsense", "preset=windows-95&t=1", "t=99999999999999", "do=1.z", "do=12.syn,,",
                       "%E0%A4%A", "story=none-such", "rtt=", "loss=7", "seed=-1", "arrivals=1e5x10000&t=3600000000",
                       "beside=1&beside.preset=x", "do=5.k7&t=10", "<script>alert(1)</script>"):
            self.open(broken)
            said = self.b.execute("const n = document.getElementById('notice'); return n.hidden ? '' : n.textContent")
            print(f"#{broken[:40]}: {said[:120]}")
            if not re.search(r"\w+ \w+.*[.:]", said):
                yield f"#{broken[:40]}: the page says {said!r}"
            if not self.state()["limits"]["accept_slots"]:
                yield f"#{broken[:40]}: no listener after that"

    def download(self, what):
        before = set(self.b.downloads.iterdir())
        self.b.click(f"[data-export={what}]")
        for _ in range(600):
            new = [p for p in set(self.b.downloads.iterdir()) - before
                   if p.suffix != ".crdownload" and not p.name.startswith(".") and p.stat().st_size > 0]
            if new:
                return new[0]
            time.sleep(0.05)
        raise RuntimeError(f"no file came of {what}")

    def check_downloads(self):
        """The files that the page offers are what they say."""
        self.b.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.b.downloads))
        self.play()
        events = self.b.execute("return window.explorer.ask({do: 'events', world: 0, since: 0}).events")
        segments = [e for e in events if e["kind"] == "segment"]
        chosen = self.b.execute("return /client=(\\d+)/.exec(location.hash)?.[1]")
        pcap = self.download("pcap")
        if shutil.which("tshark"):
            done = subprocess.run(["tshark", "-r", pcap, "-T", "fields", "-e", "tcp.flags", "-e", "_ws.malformed"],
                                  text=True, capture_output=True, timeout=60)
            packets = done.stdout.splitlines()
            print(f"{pcap.name}: tshark reads {len(packets)} segments; {len(segments)} have arrived")
            if done.returncode != 0 or len(packets) < len(segments) or not segments:
                yield f"pcap: tshark reads {len(packets)} of {len(segments)} segments: {done.stderr.strip()[:200]}"
            if any(line.split("\t")[1:] != [""] for line in packets):
                yield "pcap: malformed segments"
        else:
            print("pcap: not looked into, there is no tshark")
        mermaid = self.download("mermaid").read_text(encoding="utf-8")
        arrows = len(re.findall(r"^\s+\S+ ?-+[>x)]+ ?\S+:", mermaid, re.MULTILINE))
        wanted = sum(chosen is None or e["client"] == int(chosen) for e in segments)
        print(f"mermaid: {arrows} arrows; {wanted} segments of {'all' if chosen is None else 'client ' + chosen} have arrived")
        if not mermaid.startswith("sequenceDiagram") or arrows < wanted or arrows == 0:
            yield f"mermaid: {arrows} of {wanted} arrows in {mermaid[:80]!r}"
        json.loads(self.download("json").read_text(encoding="utf-8"))
        source = self.download("cpp")
        program = source.with_suffix(".out")
        done = subprocess.run(["g++", "-std=c++20", f"-I{ROOT / 'include'}", source, "-o", program],
                              text=True, capture_output=True, timeout=300)
        if done.returncode != 0:
            yield f"C++: {done.stderr[:400]}"
            return
        said = subprocess.run([program], text=True, capture_output=True, timeout=60)
        print(f"{source.name}: compiles, and ends with {said.stdout.splitlines()[-1:]}")
        if said.returncode != 0 or not said.stdout:
            yield f"C++: status {said.returncode}"
        queues = self.state()["queues"]
        if not re.search(rf"^{queues['requests']} requests?, {queues['waiting']} connections?", said.stdout, re.MULTILINE):
            yield f"C++: ends with {said.stdout.splitlines()[-1:]}, the page with {queues}"

    # How the panel shows what the engine takes in µs or as a share.
    UNITS = {"stall": 1000, "every": 1_000_000, "rtt": 1000, "deadline": 1_000_000, "never_ack": 0.01}

    def check_sizing(self):
        """The panel calculates when somebody comes to it; its window and its rows are the native engine's."""
        self.open()
        self.b.execute("document.getElementById('sizing-form').scrollIntoView()")
        rows = self.b.wait("const rows = [...document.querySelectorAll('#sizing-table tbody tr')];"
                           "return rows.length && rows.map(r => [Number(r.dataset.backlog), [...r.cells].map(c => c.textContent)])",
                           seconds=120)
        found = self.b.execute("return {...document.getElementById('sizing-window').dataset}")
        values = self.b.execute("return Object.fromEntries([...document.querySelectorAll('#sizing-form [id^=size-]')]"
                                ".map(e => [e.id.slice(5), e.value]))")
        request = {"preset": values["preset"], "syns": values["syns"], "seed": 1}
        for name, shown in values.items():
            if name not in ("preset", "syns", "backlogs", "go"):
                request[name] = float(shown) * self.UNITS.get(name, 1)
                if request[name].is_integer():
                    request[name] = int(request[name])
        wanted = self.native.ask("sizing", **request)
        print(f"window {found}, natively {wanted.get('window', wanted)}")
        print(*rows, sep="\n")
        window = {k: wanted["window"][k] for k in ("least", "most")}
        if {k: float(found[k]) for k in window} != window:
            yield f"window {found}, natively {window}"
        if [r[0] for r in rows] != [r["backlog"] for r in wanted["rows"]]:
            yield f"rows for {[r[0] for r in rows]}, natively for {[r['backlog'] for r in wanted['rows']]}"
        if any(re.search("NaN|undefined|null", cell) for _, cells in rows for cell in cells):
            yield "a cell that says nothing"
        if self.shots:
            self.b.screenshot(self.shots / "sizing.png")

    def check_lab_page(self):
        """What the lab writes with --html: fits, can be read, can be used by keyboard, asks for nothing."""
        with tempfile.TemporaryDirectory() as folder:
            for name, options in {"three-clients": ["--clients", "3"],
                                  "losses": ["--loss", "0.3", "--clients", "5", "--seed", "7", "--rtt", "0.05"]}.items():
                page = pathlib.Path(folder) / f"{name}.html"
                subprocess.run([self.lab, *options, "--html", page], check=True, stdout=subprocess.DEVNULL, timeout=60)
                for scheme in ("light", "dark"):
                    self.b.scheme(scheme)
                    for width in WIDTHS:
                        self.b.size(width, 800)
                        self.open(url=page.as_uri())
                        wide, faint = self.b.execute("return [look.wide(), look.faint()]")
                        yield from (f"{name}, {width}: too wide: {w}" for w in wide)
                        yield from (f"{name}, {scheme}, {width}: {f}" for f in faint[:6])
                        if self.shots and (name == "three-clients" or width == 800):
                            self.b.screenshot(self.shots / f"lab-{name}-{width}-{scheme}.png")
                rows = "return [...document.querySelectorAll('.sequence li.g')].filter(e => e.checkVisibility()).length"
                all_rows = self.b.execute(rows)
                self.b.click("#only0")
                some = self.b.execute(rows)
                print(f"{name}: {page.stat().st_size} bytes, {all_rows} rows, {some} of the first client")
                if not 0 < some < all_rows:
                    yield f"{name}: choosing a client shows {some} of {all_rows} rows"
                self.gather()
                self.asked.discard(page.as_uri())

    # The last two tell what has been gathered during all the others.

    def check_console(self):
        """Nothing to complain about, from beginning to end."""
        self.gather()
        yield from dict.fromkeys(self.complaints)

    def check_network(self):
        """Nobody is asked but the server of the page, and nothing of what it is asked for is missing."""
        self.gather()
        allowed = (self.url + "/", "data:", "blob:", "about:", "chrome://")
        print("cut off from all networks" if self.alone else "not cut off (that needs root and ip), only watched")
        print(f"{len(self.asked)} addresses asked for")
        yield from (f"asked for {url}" for url in sorted(self.asked) if not url.startswith(allowed))
        if not any(url.endswith(".wasm") for url in self.asked):
            yield "the requests were not seen: no engine.wasm among them"
        yield from (f"not there: {missing}" for missing in Quiet.missing)


NAMES = [name.removeprefix("check_") for name in vars(Checks) if name.startswith("check_")]


def run(site, program, lab, results, shots=None):
    site, results = pathlib.Path(site), pathlib.Path(results)
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    if webdriver.programs() is None:
        print("SKIPPED: there is no Chromium with its driver here (packages chromium and chromium-driver)")
        return SKIPPED
    if not (site / "engine.wasm").exists():
        print("SKIPPED: the page has not been built")
        return SKIPPED
    alone = cut_off()
    began = time.monotonic()
    with webdriver.browser() as browser:
        print(f"Chromium {browser.version}; {'no network' if alone else 'network watched'}")
        checks = Checks(browser, site, serve(site), program, lab, shots and pathlib.Path(shots), alone)
        for name in NAMES:
            since = time.monotonic()
            with open(results / f"{name}.txt", "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
                wrong = []
                try:
                    browser.size(1400, 900)
                    browser.scheme("light")
                    for complaint in getattr(checks, f"check_{name}")():
                        wrong.append(complaint)
                except Exception as error:  # a check that cannot go on has failed; the others go on
                    wrong.append(f"{type(error).__name__}: {error}")
                print(*(f"WRONG: {w}" for w in wrong[:60]), sep="\n")
                if len(wrong) > 60:
                    print(f"and {len(wrong) - 60} more")
            print(f"{name}: {len(wrong)} wrong, {time.monotonic() - since:.1f} s", flush=True)
        checks.native.close()
    print(f"all: {time.monotonic() - began:.1f} s")
    return 0


def check(name, results):
    path = pathlib.Path(results) / f"{name}.txt"
    if not path.exists():
        print("SKIPPED: the page was not looked at in a browser; explorer.browser says why")
        return SKIPPED
    text = path.read_text(encoding="utf-8")
    print(text)
    return 1 if "WRONG: " in text else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        sys.exit(run(*sys.argv[2:]))
    if sys.argv[1:2] == ["check"]:
        sys.exit(check(*sys.argv[2:]))
    print(*NAMES, sep="\n")
