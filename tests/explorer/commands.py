# SPDX-License-Identifier: BSL-1.0
"""The engine's commands: what they answer, and that the same bytes in are the same bytes out."""
import json
import sys
import unittest

from engine import Engine

PROGRAM = sys.argv.pop(1)
BUSY = {"preset": "linux-3.12", "seed": 7, "backlog": 2, "rtt": 20000, "loss": 0.1, "arrivals": {"rate": 20, "burst": 3},
        "accept": {"every": 60000, "stall": {"from": 1000000, "for": 700000}}, "flood": {"rate": 30, "answers": True},
        "patience": 4000000}
THREE = [{"at": 300000 + 100000 * i, "what": "syn"} for i in range(3)]


class Commands(unittest.TestCase):
    def setUp(self):
        self.engine = Engine(PROGRAM)
        self.ask = self.engine.ask

    def tearDown(self):
        self.engine.close()
        self.assertEqual(self.engine.process.returncode, 0)

    def test_every_preset_opens_with_its_own_tunables(self):
        # A preset that is listed and cannot be opened, or whose tunables have other values once it runs.
        presets = self.ask("presets")["presets"]
        self.assertGreaterEqual(len(presets), 24)
        for p in presets:
            state = self.ask("open", world=0, settings={"preset": p["name"]})
            self.assertEqual(state["settings"]["tunables"], p["tunables"])
            self.assertEqual(state["now"], 0)

    def test_the_third_client_is_connected_and_unknown(self):
        # The article's case; a client that hears of an overflow, or an accept queue of one.
        s = self.ask("script", world=0, settings={"backlog": 1}, actions=THREE, until=2000000)
        self.assertEqual([c["server"] for c in s["clients"]], ["ESTABLISHED", "ESTABLISHED", "SYN_RECV"])
        self.assertEqual([c["state"] for c in s["clients"]], ["ESTABLISHED"] * 3)
        self.assertEqual(s["totals"]["stranded"], 1)
        self.assertEqual([w["client"] for w in s["accept_queue"]], [0, 1])
        self.assertEqual(s["requests"][0]["client"], 2)
        self.assertEqual(s["ss"][0]["recv_q"], 2)

    def test_same_requests_same_bytes(self):
        # Anything that comes from a clock, an address or the order of a hash table.
        lines = [json.dumps(r) for r in ({"do": "open", "world": 0, "settings": BUSY},
                                         {"do": "advance", "world": 0, "to": 5000000}, {"do": "events", "world": 0},
                                         {"do": "export", "world": 0, "as": "pcap"})]
        other = Engine(PROGRAM)
        self.assertEqual([self.engine.line(l) for l in lines], [other.line(l) for l in lines])
        other.close()

    def test_steps_lead_where_one_advance_leads(self):
        # A step that leaves something out, or does something twice.
        self.ask("open", world=0, settings=BUSY)
        self.ask("open", world=1, settings=BUSY)
        for _ in range(300):
            stepped = self.ask("step", world=0)
        at_once = self.ask("advance", world=1, to=stepped["now"])
        self.ask("advance", world=0, to=stepped["now"])
        self.assertGreater(stepped["now"], 1000000)
        self.assertEqual(self.engine.events(0), self.engine.events(1))
        self.assertEqual(self.ask("state", world=0)["totals"], at_once["totals"])

    def test_a_step_is_something_to_see(self):
        # A sweeping hand that finds nothing, 200 ms after 200 ms, is no step.
        self.ask("script", world=0, settings={"backlog": 1}, actions=THREE[:1], until=310000)
        before = len(self.engine.events())
        for i in range(5):
            self.ask("step", world=0)
            self.assertGreater(len(self.engine.events()), before + i)

    def test_two_presets_see_the_same_clients(self):
        # Arrivals that depend on what the preset does with those before.
        started = []
        for world, preset in enumerate(("linux-3.12", "freebsd-13")):
            self.ask("open", world=world, settings={**BUSY, "preset": preset, "loss": 0})
            started.append([(c["id"], c["started"]) for c in self.ask("advance", world=world, to=4000000)["clients"]])
        self.assertGreater(len(started[0]), 30)
        self.assertEqual(*started)

    def test_poisson_arrivals_have_their_rate(self):
        # A mean gap that is off, or bursts counted as one.
        for burst in (1, 5):
            self.ask("open", world=0, settings={"arrivals": {"rate": 40, "burst": burst}, "accept": {"every": 1000}})
            self.ask("advance", world=0, to=20000000)
            state = self.ask("advance", world=0, to=50000000)
            while state.get("more"):
                state = self.ask("advance", world=0, to=50000000)
            self.assertAlmostEqual(state["totals"]["clients"], 2000, delta=5 * (2000 * burst) ** 0.5)

    def test_the_application_takes_its_time_and_stalls(self):
        # accept() more often than it is told to, or during a stall.
        self.ask("open", world=0, settings={**BUSY, "backlog": 20, "flood": {"rate": 0}})
        self.ask("advance", world=0, to=4000000)
        at = [e["at"] for e in self.engine.events() if e["kind"] == "accept"]
        self.assertTrue(all(b - a >= 60000 for a, b in zip(at, at[1:])))
        self.assertFalse([t for t in at if 1000000 <= t < 1700000])
        self.assertIn(1700000, at)

    def test_a_raw_syn_is_acknowledged_by_hand(self):
        # A mute client that answers by itself, or one that cannot be brought to answer.
        self.ask("open", world=0, settings={"rtt": 1000, "data_after": None})
        self.ask("act", world=0, what="raw_syn")
        state = self.ask("advance", world=0, to=500000)
        self.assertEqual((state["queues"]["requests"], state["queues"]["waiting"]), (1, 0))
        self.ask("act", world=0, what="ack", client=0)
        state = self.ask("advance", world=0, to=501000)
        self.assertEqual((state["queues"]["requests"], state["queues"]["waiting"]), (0, 1))
        self.assertEqual(state["clients"][0]["server"], "ESTABLISHED")
        state = self.ask("act", world=0, what="accept")
        self.assertEqual(state["clients"][0]["server"], "ACCEPTED")
        self.assertEqual(state["app"]["accepted"], 1)

    def test_a_reset_takes_the_request_away(self):
        self.ask("open", world=0, settings={"rtt": 1000})
        self.ask("act", world=0, what="raw_syn")
        self.assertEqual(self.ask("advance", world=0, to=2000)["queues"]["requests"], 1)
        self.ask("act", world=0, what="rst", client=0)
        state = self.ask("advance", world=0, to=4000)
        self.assertEqual(state["queues"]["requests"], 0)
        self.assertEqual(state["clients"][0]["state"], "CLOSED")

    def test_tick_goes_to_the_next_timer(self):
        self.ask("open", world=0, settings={"preset": "linux-6.18", "rtt": 1000})
        self.assertIn("no timer", self.ask("act", world=0, what="tick")["error"])
        self.ask("act", world=0, what="raw_syn")
        self.ask("advance", world=0, to=10000)
        state = self.ask("act", world=0, what="tick")
        self.assertEqual(state["now"], 1000500)
        self.assertEqual(state["requests"][0]["timeouts"], 1)

    def test_a_script_goes_on_after_a_tick(self):
        # An action between the tick and the timer that it went to, as the page records it.
        state = self.ask("script", world=0, settings={"preset": "linux-6.18", "rtt": 1000},
                         actions=[{"at": 0, "what": "raw_syn"}, {"at": 10000, "what": "tick"},
                                  {"at": 10000, "what": "rst", "client": 0}], until=20000)
        self.assertEqual((state["now"], state["queues"]["requests"]), (1000500, 1))
        self.assertEqual(self.ask("advance", world=0, to=1001000)["queues"]["requests"], 0)

    def test_close_resets_and_listen_begins_again(self):
        # A closed port that admits, or one that stays closed.
        self.ask("script", world=0, settings={"backlog": 1, "rtt": 1000}, actions=THREE, until=1000000)
        state = self.ask("act", world=0, what="close")
        self.assertTrue(state["closed"])
        self.assertEqual((state["queues"]["waiting"], state["accept_queue"]), (0, []))
        self.assertIn("error", self.ask("act", world=0, what="accept"))
        self.ask("act", world=0, what="syn")
        state = self.ask("advance", world=0, to=1010000)
        self.assertEqual((state["clients"][3]["error"], state["totals"]["refused"]), ("ECONNREFUSED", 1))
        self.assertEqual(state["clients"][0]["error"], "ECONNRESET")
        self.ask("act", world=0, what="listen")
        self.ask("act", world=0, what="syn")
        state = self.ask("advance", world=0, to=1020000)
        self.assertEqual(state["clients"][4]["server"], "ESTABLISHED")

    def test_settings_change_while_it_runs_as_sysctls_do(self):
        # somaxconn counts from the next listen() on, abort_on_overflow at once.
        self.ask("open", world=0, settings={"backlog": 1000})
        self.assertEqual(self.ask("state", world=0)["limits"]["backlog"], 128)
        state = self.ask("set", world=0, name="somaxconn", value=300)
        self.assertEqual((state["limits"]["backlog"], state["settings"]["tunables"]["somaxconn"]), (128, 300))
        self.assertEqual(self.ask("act", world=0, what="listen")["limits"]["backlog"], 300)
        self.assertEqual(self.ask("set", world=0, name="backlog", value=1)["limits"]["accept_slots"], 2)
        state = self.ask("set", world=0, name="arrivals.rate", value=7.5)
        self.assertEqual(state["settings"]["arrivals"], {"rate": 7.5, "burst": 1})
        state = self.ask("set", world=0, name="accept", value={"every": 1000})
        self.assertEqual(state["settings"]["accept"], {"every": 1000, "stall": None})

        self.ask("script", world=0, settings={"backlog": 0, "rtt": 1000},
                 actions=[*THREE[:1], {"at": 350000, "set": "abort_on_overflow", "value": 1}, THREE[1]], until=1000000)
        self.assertEqual(self.ask("state", world=0)["clients"][1]["error"], "ECONNRESET")

    def test_patience_ends(self):
        # A client that waits for ever, or leaves although it was accepted.
        self.ask("open", world=0, settings={"backlog": 1, "rtt": 1000, "patience": 3000000, "data_after": None})
        self.ask("act", world=0, what="syn")
        self.ask("act", world=0, what="syn")
        self.ask("advance", world=0, to=100000)
        self.ask("act", world=0, what="accept")
        state = self.ask("advance", world=0, to=5000000)
        self.assertEqual([c["error"] for c in state["clients"]], [None, "ETIMEDOUT"])

    def test_a_flood_fills_the_request_queue_and_cookies_save_the_clients(self):
        flood = {"preset": "linux-3.12", "backlog": 4, "rtt": 10000, "flood": {"rate": 200}, "accept": {"every": 1000},
                 "arrivals": {"rate": 2}}
        fared = {}
        for cookies in (0, 1):
            self.ask("open", world=0, settings={**flood, "tunables": {"syncookies": cookies}})
            self.ask("advance", world=0, to=10000000)
            state = self.ask("advance", world=0, to=10000000)
            self.assertTrue(state["queues"]["request_full"])
            self.assertTrue(all(r["peer"].startswith("10.") for r in state["requests"] if r["flood"]))
            fared[cookies] = state["totals"]["connected"] / state["totals"]["clients"]
        self.assertGreater(fared[1], 0.9)
        self.assertLess(fared[0], 0.7)

    def test_segments_in_flight_are_on_the_wire(self):
        self.ask("open", world=0, settings={"rtt": 200000})
        self.ask("act", world=0, what="syn")
        state = self.ask("advance", world=0, to=150000)
        self.assertEqual([(f["flags"], f["to_server"], f["sent"], f["arrives"]) for f in state["wire"]],
                         [("SA", False, 100000, 200000)])
        self.ask("open", world=0, settings={"rtt": 200000, "loss": 1})
        state = self.ask("act", world=0, what="syn")
        self.assertEqual([f["arrives"] for f in state["wire"]], [None])
        self.assertEqual([e["lost"] for e in self.engine.events() if e["kind"] == "segment"], [True])

    def test_long_calls_come_in_parts(self):
        # A slider that makes the page hang.
        self.ask("open", world=0, settings={"rtt": 1000, "flood": {"rate": 20000}})
        answers = [self.ask("advance", world=0, to=3000000)]
        while answers[-1].get("more"):
            answers.append(self.ask("advance", world=0, to=3000000))
        self.assertGreater(len(answers), 2)
        self.assertEqual(answers[-1]["now"], 3000000)
        self.assertTrue(all(len(a["requests"]) <= 256 and len(a["wire"]) <= 400 for a in answers))
        dropped = self.ask("events", world=0, since=0)
        self.assertGreater(dropped["dropped"], 0)
        self.assertEqual(dropped["events"][0]["n"], dropped["dropped"])

    def test_thousands_of_clients_leave_again(self):
        # Memory that grows with time: whoever was served is forgotten.
        self.ask("open", world=0, settings={"backlog": 128, "rtt": 1000, "arrivals": {"rate": 400}, "data_after": None,
                                            "accept": {"every": 1000}})
        state = {"more": True}
        while state.get("more"):
            state = self.ask("advance", world=0, to=20000000)
        self.assertGreater(state["totals"]["clients"], 7000)
        self.assertEqual(state["totals"]["turned_away"], 0)
        self.assertLess(len([r for r in state["ss"]]), 101)

    def test_wrong_requests_are_one_sentence(self):
        # A trap, an exception, a half-done change.
        self.ask("open", world=0, settings={})
        before = self.engine.line('{"do":"state","world":0}')
        wrong = ["", "{", "[]", "null", "7", '"x"', "{}", '{"do":7}', '{"do":"fly"}', '{"do":"state","world":3}',
                 '{"do":"state","world":-1}', '{"do":"state","world":"0"}', '{"do":"advance","world":0}',
                 '{"do":"advance","world":0,"to":"x"}', '{"do":"advance","world":0,"to":-1}',
                 '{"do":"advance","world":0,"to":1e99}', '{"do":"advance","world":0,"to":1.5}',
                 '{"do":"act","world":0}', '{"do":"act","world":0,"what":"jump"}',
                 '{"do":"act","world":0,"what":"ack"}', '{"do":"act","world":0,"what":"ack","client":0}',
                 '{"do":"act","world":0,"what":"syn","client":5}', '{"do":"act","world":0,"what":"ack","client":"a"}',
                 '{"do":"act","world":0,"what":"accept"}', '{"do":"act","world":0,"what":"listen","client":{}}',
                 '{"do":"set","world":0}', '{"do":"set","world":0,"name":"rtt"}',
                 '{"do":"set","world":0,"name":"rtt","value":-1}', '{"do":"set","world":0,"name":"rtt","value":1e12}',
                 '{"do":"set","world":0,"name":"loss","value":1.1}', '{"do":"set","world":0,"name":"seed","value":2}',
                 '{"do":"set","world":0,"name":"preset","value":"xnu"}', '{"do":"set","world":0,"name":"x","value":1}',
                 '{"do":"set","world":0,"name":"a.b.c","value":1}', '{"do":"set","world":0,"name":"syncookies","value":3}',
                 '{"do":"set","world":0,"name":"arrivals","value":7}', '{"do":"set","world":0,"name":"accept.stall","value":1}',
                 '{"do":"set","world":0,"name":"flood","value":{"answers":1}}',
                 '{"do":"events","world":0,"since":-1}', '{"do":"export","world":0}',
                 '{"do":"export","world":0,"as":"pdf"}', '{"do":"export","world":0,"as":"mermaid","client":9}',
                 '{"do":"open","world":0,"settings":{"preset":"beos"}}', '{"do":"open","world":0,"settings":[]}',
                 '{"do":"open","world":0,"settings":{"backlog":70000}}', '{"do":"open","world":0,"settings":{"more":1}}',
                 '{"do":"open","world":0,"settings":{"arrivals":{"rate":9999}}}',
                 '{"do":"open","world":0,"settings":{"tunables":{"swappiness":1}}}',
                 '{"do":"script","world":0,"settings":{}}', '{"do":"script","world":0,"until":5,"actions":{}}',
                 '{"do":"script","world":0,"until":5,"actions":[7]}',
                 '{"do":"script","world":0,"until":5,"actions":[{"at":9,"what":"syn"}]}',
                 '{"do":"script","world":0,"until":5,"actions":[{"at":1,"what":"accept"}]}',
                 '{"do":"script","world":0,"until":5,"actions":[{"at":1,"set":"rtt"}]}', "\x00", "\xff"]
        for line in wrong:
            answer = json.loads(self.engine.line(line))
            self.assertEqual(list(answer), ["error"], line)
            self.assertTrue(answer["error"], line)
        self.assertEqual(self.engine.line('{"do":"state","world":0}'), before)


unittest.main()
