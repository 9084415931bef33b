# SPDX-License-Identifier: BSL-1.0
"""A small WebDriver client: chromedriver and a headless Chromium, spoken to over plain HTTP.

The browser gets a folder of its own for its data, which is gone afterwards. Only the standard library is used.
"""
import base64
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-default-apps", "--no-default-browser-check", "--disable-dev-shm-usage", "--mute-audio",
             "--hide-scrollbars", "--force-device-scale-factor=1"]
KEYS = {"Tab": "\ue004", "Shift": "\ue008", "Enter": "\ue007", "Space": " ", "Escape": "\ue00c", "Left": "\ue012",
        "Up": "\ue013", "Right": "\ue014", "Down": "\ue015", "Home": "\ue011", "End": "\ue010"}


def programs():
    """The paths of Chromium and chromedriver; None where one is missing."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class WebDriverError(Exception):
    pass


class Session:
    """One browser window. Whatever `execute` returns is plain data; elements stay in the page."""

    def __init__(self, root, arguments, downloads):
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.root = root
        value = self.ask("POST", root + "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments, "binary": programs()[0], "prefs": {
                "download.default_directory": str(downloads), "download.prompt_for_download": False,
                "session.restore_on_startup": 4, "session.startup_urls": ["about:blank"]}},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": 180000, "pageLoad": 60000, "implicit": 0}}}})
        self.url = f"{root}/session/{value['sessionId']}"
        self.version = value["capabilities"]["browserVersion"]

    def ask(self, method, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self.opener.open(request, timeout=240) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebDriverError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def post(self, path, **body):
        return self.ask("POST", f"{self.url}/{path}", body)

    def quit(self):
        with contextlib.suppress(WebDriverError, OSError):
            self.ask("DELETE", self.url)

    def open(self, url):
        self.post("url", url=url)

    def address(self):
        return self.ask("GET", self.url + "/url")

    def execute(self, script, *arguments):
        """The value of a function body; `arguments` are its arguments."""
        return self.post("execute/sync", script=script, args=list(arguments))

    def wait(self, script, *arguments, seconds=30):
        """Until the function body returns something true: that."""
        value = self.execute(
            "return (async (f, a, ms) => { const end = performance.now() + ms;"
            " for (;;) { let v; try { v = f.apply(null, a); } catch (e) { v = null; }"
            " if (v || performance.now() > end) return v || null;"
            " await new Promise(r => setTimeout(r, 20)); } })"
            "(new Function(arguments[0]), arguments[1], arguments[2])", script, list(arguments), seconds * 1000)
        if not value:
            raise WebDriverError(f"never came true: {script}")
        return value

    def find(self, css):
        return self.post("element", using="css selector", value=css)[ELEMENT]

    def click(self, css):
        """A real click: it fails where something covers the element."""
        self.post(f"element/{self.find(css)}/click")

    def keys(self, *keys):
        """Each pressed and let go; "Shift+Tab" holds the first meanwhile."""
        actions = []
        for key in keys:
            names = [KEYS.get(k, k) for k in (key.split("+") if len(key) > 1 else [key])]
            actions += [{"type": "keyDown", "value": k} for k in names]
            actions += [{"type": "keyUp", "value": k} for k in reversed(names)]
        self.post("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def devtools(self, command, **parameters):
        return self.post("goog/cdp/execute", cmd=command, params=parameters)

    def size(self, width, height):
        """The inside of the window, exact also below Chromium's least window."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=False)

    def scheme(self, light_or_dark):
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": light_or_dark},
                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def screenshot(self, path, whole=True):
        """What the window shows, or the whole page."""
        parameters = {"format": "png"}
        if whole:
            box = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
            parameters |= {"captureBeyondViewport": True, "clip": {**box, "height": min(box["height"], 12000),
                                                                   "scale": 1}}
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot", **parameters)["data"]))

    def console(self):
        """(level, message) of everything since the last time it was asked for."""
        return [(e["level"], e["message"]) for e in self.post("se/log", type="browser")]

    def requests(self):
        """The addresses of all requests since the last time."""
        found = []
        for entry in self.post("se/log", type="performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found


@contextlib.contextmanager
def browser(arguments=()):
    """Starts both programs, yields a Session, ends both. The session's `downloads` is where files arrive."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="explorer-"))
    downloads = folder / "downloads"
    downloads.mkdir()
    log = folder / "driver"
    with open(log, "w") as out:
        driver = subprocess.Popen([programs()[1], "--port=0"], stdout=out, stderr=subprocess.STDOUT)
    session = None
    try:
        for _ in range(600):
            port = re.search(r"on port (\d+)\.", log.read_text())
            if port or driver.poll() is not None:
                break
            time.sleep(0.05)
        if not port:
            raise WebDriverError("chromedriver did not start: " + log.read_text())
        session = Session(f"http://127.0.0.1:{port[1]}",
                          [*ARGUMENTS, f"--user-data-dir={folder / 'data'}", *arguments], downloads)
        session.downloads = downloads
        yield session
    finally:
        if session:
            session.quit()
        driver.terminate()
        try:
            driver.wait(20)
        except subprocess.TimeoutExpired:
            driver.kill()
        shutil.rmtree(folder, ignore_errors=True)
