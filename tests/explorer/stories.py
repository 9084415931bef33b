# SPDX-License-Identifier: BSL-1.0
"""Every story of the page ends as it says. usage: stories.py EXPLORER_NATIVE STORIES.JSON"""
import json
import pathlib
import sys

from engine import Engine, at_path

engine = Engine(sys.argv[1])
wrong = 0
stories = json.loads(pathlib.Path(sys.argv[2]).read_text())
for story in stories:
    state = engine.ask("script", world=0, settings=story["settings"], actions=story.get("actions", []),
                       until=story["until"])
    if "error" in state:
        print(f"{story['id']}: {state['error']}")
        wrong += 1
        continue
    for path, expected in story["end"].items():
        found = at_path(state, path)
        if found != expected:
            print(f"{story['id']}: {path} is {found}, and the story says {expected}")
            wrong += 1
    if not story["end"]:
        print(f"{story['id']}: its end says nothing")
        wrong += 1
engine.close()
print(f"{len(stories)} stories, {wrong} wrong ends")
sys.exit(wrong > 0 or not stories)
