#!/usr/bin/env python3
"""A daemon that is not there: answers as `/v1` does, for what cannot be had from a real one in a test.

200 bridges in every state, names that attack the page, tokens of each role, a stream that stops. Run by itself it serves
the page from the source tree, for whoever works on it:

    fake.py --port 8899 --bridges 200 --trouble
"""

import argparse
import datetime
import http.server
import json
import math
import pathlib
import random
import threading
import time
import urllib.parse

PAGE = pathlib.Path(__file__).resolve().parents[3] / "admin" / "dashboard"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
POLICY = ("default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'")
TOKENS = {"reader": "read", "operator": "operate", "administrator": "admin"}
BREWERY = "jvbbrewery@internal.auth.bascule.test/"
HOSTILE_ROOM = "<img src=x onerror=alert(1)>\"'&amp;\u202eevil%2f..#?@conference.bascule.test"
HOSTILE_ENDPOINT = "<script>alert(2)</script>"
MINUTES = 60


def now_text(shift_s=0.0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=shift_s)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Fleet:
    """Bridges whose load moves a little, with drains that make progress each time somebody looks."""

    def __init__(self, bridges, trouble, seed=1):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.began = time.monotonic()
        self.drains = {}
        self.trouble = trouble
        self.silent = False  # Answers nothing more.
        self.stands_by = False  # As a process whose partner is active: has nothing to tell.
        self.bridges = [self._bridge(number) for number in range(1, bridges + 1)]
        if trouble:
            self._add_trouble()

    def _bridge(self, number):
        load = self.random.betavariate(5, 5)
        people = round(load * 300)
        return {"bridge": f"{BREWERY}jvb-{number}", "state": "fresh", "present": True, "flags": [],
                "quarantine_left_ms": None, "reported": load, "report_age_ms": self.random.randint(200, 6000),
                "report_source": "brewery", "confidence": 1.0, "confidence_level": "high", "caution": 0.0,
                "expected": load * 1.02, "reserved": 0.02, "limit": 0.9, "capacity": 1.0, "cost_per_unit": 0.0033,
                "confirmations": 40, "load_units": people * 0.9, "unaccounted_units": 3.5, "foreign_units": 0.0,
                "participants": people, "conferences": max(1, people // 8), "in_flight": number % 3,
                "version": "2.3.160-gd5b0f6e", "region": ["eu-central", "us-east"][number % 2],
                "relay_id": f"relay-{number}", "drain": None}

    def _add_trouble(self):
        names = iter(self.bridges)
        next(names).update(state="failed", flags=["suspect"], participants=61, conferences=9)
        next(names).update(expected=0.97, reported=0.95)
        next(names).update(state="stale", report_age_ms=44_000, confidence=0.3, confidence_level="low")
        next(names).update(flags=["drain", "graceful_shutdown"])

    def tick(self):
        with self.lock:
            for bridge in self.bridges:
                drain = self.drains.get(bridge["bridge"])
                if drain and drain["evacuate"] and drain["participants"] > 0:
                    gone = min(drain["participants"], max(1, drain["before"] // 8))
                    drain["participants"] -= gone
                    bridge["participants"] = drain["participants"]
                    drain["conferences"] = bridge["conferences"] = math.ceil(drain["participants"] / 8)
                    drain["moving"] = min(drain["participants"], 12)
                    drain["done"] = drain["participants"] == 0
                    share = drain["participants"] / max(1, drain["before"])
                    bridge["expected"] = bridge["reported"] = drain["load"] * share
                elif bridge["state"] == "fresh" and not drain:
                    bridge["expected"] = min(1.1, max(0.02, bridge["expected"] + self.random.uniform(-0.003, 0.003)))
                bridge["drain"] = None if drain is None else {
                    key: value for key, value in drain.items() if key not in ("before", "load")}

    def find(self, nick):
        return next((one for one in self.bridges if one["bridge"] == BREWERY + nick), None)

    def drain(self, nick, body, by):
        bridge = self.find(nick)
        order = self.drains.setdefault(bridge["bridge"], {
            "bridge": bridge["bridge"], "since": now_text(), "by": by, "reason": body.get("reason"),
            "evacuate": False, "participants": bridge["participants"], "conferences": bridge["conferences"],
            "moving": 0, "stuck": 0, "done": bridge["participants"] == 0, "before": bridge["participants"],
            "load": bridge["expected"]})
        order["evacuate"] = bool(body.get("evacuate"))
        if "drain" not in bridge["flags"]:
            bridge["flags"].append("drain")
        return order

    def undrain(self, nick):
        bridge = self.find(nick)
        self.drains.pop(bridge["bridge"], None)
        bridge["flags"] = [flag for flag in bridge["flags"] if flag != "drain"]

    def queue(self):
        waits = {"displaced": 14, "joins_live": 3, "first": 6} if self.trouble else \
            {"displaced": 0, "joins_live": 0, "first": 0}
        return {"total": sum(waits.values()), "by_class": waits, "oldest_wait_ms": 12_340 if self.trouble else 0}

    def tickets(self):
        classes = ["displaced"] * 14 + ["joins_live"] * 3 + ["first"] * 6 if self.trouble else []
        kinds = {"displaced": "reinvite", "joins_live": "join", "first": "join"}
        return [{"room": HOSTILE_ROOM if number == 0 else f"room{number}@conference.bascule.test",
                 "endpoint": HOSTILE_ENDPOINT if number == 0 else f"{number:08x}", "class": each, "kind": kinds[each],
                 "waited_ms": 12_340 - number * 400, "why": "pace" if number % 3 else "capacity"}
                for number, each in enumerate(classes)]

    def overview(self):
        people = sum(bridge["participants"] for bridge in self.bridges)
        silent = sum(bridge["state"] == "stale" for bridge in self.bridges)
        return {"version": "0.1.0", "revision": "fake", "started_at": now_text(-93_000), "uptime_s": 93_000,
                "at": now_text(), "ready": True, "problems": [], "mode": "normal", "overload": "none",
                "queue": self.queue(), "conferences": sum(bridge["conferences"] for bridge in self.bridges),
                "participants": people, "sessions": people, "waiting_requests": 0,
                "links": [{"link": link, "up": True, "address": f"{link}.bascule.test"}
                          for link in ("client", "service", "requests")],
                "stats": {"blind": "partly" if silent else "none", "bridges": len(self.bridges),
                          "blind_bridges": silent, "node": "off", "store": "ok"},
                "ha": None, "bridges": self.bridges}

    def load(self):
        result = {}
        for index, bridge in enumerate(self.bridges):
            wave = [bridge["expected"] * (0.75 + 0.25 * math.sin((minute + 7 * index) / 9)) for minute in range(MINUTES)]
            result[bridge["bridge"].split("/")[1]] = [None if index % 7 == 3 and minute in (20, 21, 22) else value
                                                     for minute, value in enumerate(wave)]
        return {"from": now_text(-3600), "step_s": 60, "bridges": result,
                "limit": {nick: 0.9 for nick in result}}

    def history(self, nick, query):
        start, end = (datetime.datetime.fromisoformat(query[key].replace("Z", "+00:00")) for key in ("from", "to"))
        step = int(query["step"])
        points = []
        for index in range(int((end - start).total_seconds()) // step):
            at = start + datetime.timedelta(seconds=index * step)
            mean = 0.45 + 0.25 * math.sin(index / 8) + 0.03 * math.sin(index * 1.7)
            known = not 25 <= index <= 28
            points.append({"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "reports": 12,
                           "stress_max": mean + 0.06 if known else None, "stress_mean": mean if known else None,
                           "endpoints_max": round(mean * 290) if known else None})
        return {"bridge": BREWERY + nick, "damaged": False, "points": points}

    # --- conferences ----------------------------------------------------------------------------------

    def conferences(self):
        rooms = [HOSTILE_ROOM] + [f"{name}-{number}@conference.bascule.test" for number in range(70)
                                  for name in ("standup", "lecture")]
        return [self.conference(room, index) for index, room in enumerate(rooms)]

    def conference(self, room, index=0):
        first = self.bridges[index % len(self.bridges)]["bridge"]
        second = self.bridges[(index + 1) % len(self.bridges)]["bridge"]
        return {"room": room, "meeting_id": f"5f0c-{index}", "created_at": now_text(-60 * (index + 3)),
                "state": "active", "participants": 3 + index % 5, "sessions": 3 + index % 5,
                "bridges": [{"bridge": first, "participants": 2}, {"bridge": second, "participants": 1 + index % 5}]}

    def participants(self, conference):
        placed = [one["bridge"] for one in conference["bridges"] for _ in range(one["participants"])]
        return [{"endpoint": HOSTILE_ENDPOINT if number == 0 and conference["room"] == HOSTILE_ROOM else f"{number:08x}",
                 "state": "active", "bridge": bridge, "sid": "1a2b", "role": "participant", "kind": "user",
                 "region": "eu-central", "stats_id": "Ann-4rT", "joined_at": now_text(-900 + number),
                 "placed_at": now_text(-890 + number), "rule": "join" if number else "new", "waiting": None}
                for number, bridge in enumerate(placed)]

    def decisions(self, room=HOSTILE_ROOM, endpoint=HOSTILE_ENDPOINT, bridge=None):
        result = []
        for number, (rule, wait) in enumerate((("plan", None), (None, "capacity"), ("new", None))):
            figures = self.bridges[number:number + 3] or self.bridges[:3]
            figures = sorted(figures, key=lambda one: one["expected"])
            chosen = bridge or figures[0]["bridge"]
            result.append({
                "at": now_text(-60 * number - 20), "number": 900 - number, "room": room, "endpoint": endpoint,
                "kind": "reinvite" if number < 2 else "join", "generation": 3 - number,
                "class": "displaced" if number < 2 else "first", "bridge": chosen if rule else None, "rule": rule,
                "wait": wait, "waited_ms": 340 * (3 - number), "limit": 0.9 if number < 2 else 0.75, "people": 4,
                "open_bridges": len(self.bridges), "looked_at": 3, "settling": False, "fleet_full": number == 1,
                "earlier_process": False,
                "candidates": [{
                    "bridge": chosen if index == 0 else one["bridge"], "fits": rule is not None and one["expected"] < 0.9,
                    "expected": one["expected"], "reported": one["reported"], "report_age_ms": one["report_age_ms"],
                    "reserved": 0.02, "cost_per_unit": 0.0033, "capacity": 1.0, "load_units": 120.5,
                    "unaccounted_units": 3.4, "in_flight": 1, "tokens": 18} for index, one in enumerate(figures)]})
        return result


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):  # noqa: A002, the name is the base class's
        pass

    def send(self, status, body, content_type="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(0 if status == 204 else len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    def refuse(self, status, title, detail, **headers):
        self.send(status, {"type": "about:blank", "status": status, "title": title, "detail": detail},
                  "application/problem+json", **headers)

    def role(self):
        if not self.server.tokens:
            return "admin"
        return TOKENS.get(self.headers.get("Authorization", "").removeprefix("Bearer "))

    def static(self, path):
        name = "index.html" if path == "/" else path.removeprefix("/dashboard/")
        file = PAGE / name
        if "/" in name or not file.is_file():
            self.refuse(404, "Not found", f"there is nothing at {path}")
            return
        self.send(200, file.read_bytes(), TYPES[file.suffix], Content_Security_Policy=POLICY)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if not url.path.startswith("/v1/"):
            self.static(url.path)
        elif self.role() is None:
            self.refuse(401, "Unauthorized", "a token is needed", WWW_Authenticate="Bearer")
        elif self.server.fleet.silent:
            self.close_connection = True
        elif self.server.fleet.stands_by and url.path != "/v1/access":
            self.refuse(404, "Not found", f"there is nothing at {url.path}")
        else:
            query = dict(urllib.parse.parse_qsl(url.query))
            self.answer([urllib.parse.unquote(each) for each in url.path.split("/")[2:]], query)

    def answer(self, path, query):
        fleet = self.server.fleet
        match path:
            case ["overview"]:
                fleet.tick()
                self.send(200, fleet.overview())
            case ["access"]:
                self.send(200, {"name": "fake", "role": self.role()})
            case ["load"]:
                self.send(200, fleet.load())
            case ["queue"]:
                self.send(200, {**fleet.queue(), "tickets": fleet.tickets()[:int(query.get("limit", 100))]})
            case ["events"]:
                self.events()
            case ["bridges", nick, "history"]:
                self.send(200, fleet.history(nick, query))
            case ["conferences"]:
                self.conferences(query)
            case ["conferences", room]:
                conference = fleet.conference(room)
                self.send(200, {**conference, "participants": fleet.participants(conference), "pin": None})
            case ["conferences", room, "participants", endpoint]:
                person = fleet.participants(fleet.conference(room))[0]
                self.send(200, {**person, "endpoint": endpoint, "decisions": fleet.decisions(room, endpoint)})
            case ["decisions"]:
                self.send(200, {"decisions": fleet.decisions(bridge=BREWERY + query["bridge"])})
            case _:
                self.refuse(404, "Not found", f"there is nothing at {self.path}")

    def conferences(self, query):
        fleet = self.server.fleet
        found = [one for one in fleet.conferences() if query.get("search", "").lower() in one["room"].lower()
                 and ("bridge" not in query or any(each["bridge"] == BREWERY + query["bridge"] for each in one["bridges"]))]
        first = int(query.get("after", 0))
        end = first + int(query.get("limit", 50))
        self.send(200, {"conferences": found[first:end], "next": str(end) if end < len(found) else None,
                        "total": len(fleet.conferences()), "looked_at": len(found)})

    def events(self):
        if not self.server.streams:
            self.refuse(404, "Not found", "no stream today")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        fleet = self.server.fleet
        notes = [("info", "bridge.placed", {"bridge": "jvb-2", "reason": "join", "room": HOSTILE_ROOM}),
                 ("warn", "bridge.lost", {"bridge": "jvb-1", "cause": "timeout", "participants": 61}),
                 ("error", "store.degraded", {"problem": HOSTILE_ENDPOINT}),
                 ("info", "participant.left", {"room": "standup-1@conference.bascule.test", "endpoint": "0000abcd"})]
        number = 0
        try:
            while not fleet.silent:
                fleet.tick()
                self.event("overview", fleet.overview())
                level, event, fields = notes[number % len(notes)]
                self.event("log", {"at": now_text(), "level": level, "event": event, "fields": fields})
                number += 1
                time.sleep(self.server.pace_s)
        except OSError:
            pass  # The page has gone.

    def event(self, name, data):
        self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def do_PUT(self):
        self.change(lambda fleet, nick, body: (200, fleet.drain(nick, body, "fake")))

    def do_DELETE(self):
        self.change(lambda fleet, nick, body: (204, fleet.undrain(nick)))

    def change(self, make):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        path = [urllib.parse.unquote(each) for each in self.path.split("/")[2:]]
        if self.role() is None:
            self.refuse(401, "Unauthorized", "a token is needed")
        elif self.role() == "read":
            self.refuse(403, "Forbidden", "needs the role operate")
        elif len(path) != 3 or path[2] != "drain" or self.server.fleet.find(path[1]) is None:
            self.refuse(404, "Not found", f"there is nothing at {self.path}")
        else:
            with self.server.fleet.lock:
                status, answer = make(self.server.fleet, path[1], body)
            self.send(status, answer)


class Fake:
    """The server; `address` is that of the page."""

    def __init__(self, bridges=4, tokens=False, streams=True, trouble=False, port=0, pace_s=1.0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.fleet = self.fleet = Fleet(bridges, trouble)
        self.server.tokens, self.server.streams, self.server.pace_s = tokens, streams, pace_s
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.fleet.silent = True
        self.server.shutdown()
        self.server.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--bridges", type=int, default=4)
    parser.add_argument("--tokens", action="store_true", help=f"ask for one of {', '.join(TOKENS)}")
    parser.add_argument("--trouble", action="store_true")
    parser.add_argument("--poll", action="store_true", help="no stream of events")
    arguments = parser.parse_args()
    fake = Fake(arguments.bridges, arguments.tokens, not arguments.poll, arguments.trouble, arguments.port)
    print(f"{fake.address}\nCtrl-C ends it.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.stop()


if __name__ == "__main__":
    main()
