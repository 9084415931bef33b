"""A network namespace of its own for one test, and a look at what the test leaves behind.

A test begins with `enter(...)`: this process and whatever it starts move into a new, empty network namespace, which
the kernel removes with the last process in it, however the test ends. Where that cannot be (no root, no TUN device, a
tool is missing) the test ends with status 77 and says why: ctest and tests/run then list it as skipped. It ends with
`finish()`: the status, after the checks that nothing is left over.
"""
import atexit
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

SKIPPED = 77
LIMIT_S = 60
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_problems = []
_started = []
_passed = 0
_entered = False
_descriptors = 0


def skip(why):
    print(f"SKIPPED {pathlib.Path(sys.argv[0]).name}: {why}", flush=True)
    sys.exit(SKIPPED)


def enter(*tools, tun=False, limit_s=LIMIT_S):
    """Moves into a new network namespace with `lo` up. `tools`: programs that the test runs. After `limit_s` seconds
    the test is killed by SIGALRM, and its children with it."""
    global _entered, _descriptors
    if sys.platform != "linux":
        skip("network namespaces are Linux's")
    if os.geteuid() != 0:
        skip("network namespaces need root")
    for tool in ("ip", *tools):
        if shutil.which(tool) is None:
            skip(f"there is no {tool}")
    if tun and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("there is no /dev/net/tun to open")
    if _libc.unshare(CLONE_NEWNET) != 0:
        skip(f"no new network namespace: {os.strerror(ctypes.get_errno())}")
    _entered = True
    atexit.register(_stop_all)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"more than {limit_s} s"))
    signal.alarm(limit_s)
    run("ip", "link", "set", "lo", "up")
    _descriptors = _open_descriptors()


def run(*command, limit_s=10, **more):
    """Standard output of a command that must succeed."""
    command = [str(c) for c in command]
    done = subprocess.run(command, text=True, capture_output=True, timeout=limit_s, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def start(*command, **more):
    """A child in the same namespace that ends with this process at the latest. `stop` it before `finish`."""
    child = subprocess.Popen([str(c) for c in command], preexec_fn=_die_with_parent, **more)
    _started.append(child)
    return child


def stop(child, signal_number=signal.SIGTERM, limit_s=5):
    """Asks a child to end, makes it end if it does not, and returns its status."""
    if child.poll() is None:
        child.send_signal(signal_number)
        try:
            child.wait(limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            _problems.append(f"{child.args[0]} did not end by signal {signal_number}")
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
    if child in _started:
        _started.remove(child)
    return child.returncode


def sysctl(name, value=None):
    """Reads or writes a sysctl of this namespace: sysctl("net.ipv4.tcp_timestamps", 0). Words are returned as text."""
    path = pathlib.Path("/proc/sys", *name.split("."))
    if value is not None:
        path.write_text(str(value))
    return path.read_text().strip()


def counters():
    """The namespace's counters by the names of nstat, such as TcpExtListenOverflows."""
    values = {}
    for source in ("/proc/net/snmp", "/proc/net/netstat"):
        lines = pathlib.Path(source).read_text().splitlines()
        for names, numbers in zip(lines[::2], lines[1::2]):
            (head, *names), (_, *numbers) = names.split(), numbers.split()
            values.update({head.rstrip(":") + name: int(number) for name, number in zip(names, numbers)})
    return values


def wait_until(condition, limit_s, step_s=0.01):
    """The first true value of `condition()`, or its last one when the time is up."""
    end = time.monotonic() + limit_s
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(step_s)
    return value


def check(name, problems):
    """One result of the test: `problems` is a list of what is wrong, or a bool that says whether all is well."""
    global _passed
    if isinstance(problems, bool):
        problems = [] if problems else ["is not so"]
    if not problems:
        _passed += 1
    _problems.extend(f"{name}: {p}" for p in problems)


def equal(name, actual, expected):
    check(name, [] if actual == expected else [f"expected {expected!r}, got {actual!r}"])


def finish():
    """Ends the test: prints what went wrong, and what is left over."""
    signal.alarm(0)
    for child in list(_started):
        _problems.append(f"left over: process {child.pid}, {child.args[0]}")
    _stop_all()
    if _entered:
        others = [pid for pid in _in_this_namespace() if pid != os.getpid()]
        _problems.extend(f"left over: process {pid} in the namespace" for pid in others)
        now = _open_descriptors()
        if now > _descriptors:
            _problems.append(f"left over: {now - _descriptors} descriptors")
    for problem in _problems:
        print(problem)
    print(f"{_passed} checks passed, {len(_problems)} problems")
    sys.exit(1 if _problems or not _passed else 0)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _stop_all():
    for child in list(_started):
        child.kill()
        child.wait()
        _started.remove(child)


def _open_descriptors():
    return len(os.listdir("/proc/self/fd"))


def _in_this_namespace():
    ours = os.readlink("/proc/self/ns/net")
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.readlink(f"/proc/{entry}/ns/net") == ours:
                yield int(entry)
