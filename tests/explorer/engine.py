# SPDX-License-Identifier: BSL-1.0
"""The engine of the page as a program: a request a line, an answer a line."""
import json
import subprocess


class Engine:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self, text):
        """The answer to a line, as it comes."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, verb, **fields):
        return json.loads(self.line(json.dumps({"do": verb, **fields})))

    def events(self, world=0):
        """All events that there are."""
        events, since = [], 0
        while True:
            answer = self.ask("events", world=world, since=since)
            events += answer["events"]
            since = answer["next"]
            if not answer.get("more"):
                return events

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


def at_path(state, path):
    """`counters.TcpExtListenDrops` of a state; a counter that is not there is 0."""
    for name in path.split("."):
        state = state[int(name)] if isinstance(state, list) else state.get(name, 0)
    return state
