"""How the focus ends in a round of restart.py, and what people may notice of it."""

import dataclasses
import os
import re
import time

from runner import RunFailed

KILLED_AGAIN_S = 1.0
ENTERING_S = 0.03     # The rooms are entered again within this after the session was continued.
BRIDGE_BACK_S = 4
PROSODY_DOWN_S = 0.5
NOTICED_S = 20
DAMAGES, DAMAGE_BYTES = 8, 512


@dataclasses.dataclass(frozen=True)
class Ending:
    """`may_grow`: what people may notice (counters of clientsim). `continues`: the session with the server goes on.
    `excuses`: words of complaints of participants that are to be expected."""
    name: str
    end: object  # function(round): when it returns the focus is gone and may be started
    may_grow: frozenset = frozenset()
    continues: bool = True
    excuses: tuple = ()
    after_start: object = None  # function(round), when the focus is ready


class Round:
    """One round as its ending sees it. `killed` is when the focus ended first (time.monotonic, time.time)."""

    def __init__(self, scene, random, full):
        self.scene, self.random, self.full = scene, random, full
        self.log_from = scene.daemon.log.stat().st_size
        self.killed = None
        self.notes = {}

    def log(self):
        with open(self.scene.daemon.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_from)
            return log.read()

    def ended(self):
        """The focus is gone: from now on answers come from its successors."""
        if self.killed is None:
            self.killed = time.time()
            self.scene.clients.ask("mark")

    def kill(self):
        self.scene.daemon.kill()
        self.ended()

    def wait(self, condition, what):
        deadline = time.monotonic() + NOTICED_S
        while not condition():
            if not self.scene.daemon.alive:
                raise RunFailed(f"the focus exited with {self.scene.daemon.process.returncode} while waiting for {what}")
            if time.monotonic() > deadline:
                raise RunFailed(f"waited {NOTICED_S} s for {what}")
            time.sleep(0.002)

    def problems(self):
        try:
            return self.scene.daemon.ask("/readyz")["problems"]
        except OSError:
            return []


def kill(round_):
    round_.kill()


def terminate(round_):
    if round_.scene.daemon.suspend() != 0:
        raise RunFailed(f"the daemon exited with {round_.scene.daemon.process.returncode}")
    round_.ended()


def kill_twice(round_):
    round_.kill()
    round_.scene.daemon.begin()
    time.sleep(round_.random.uniform(0.0, KILLED_AGAIN_S))
    round_.kill()


def kill_while_it_recovers(round_):
    """Killed again while it enters the rooms it knows."""
    round_.kill()
    before = len(re.findall(r"link\.up link=client", round_.log()))
    round_.scene.daemon.begin()
    round_.wait(lambda: len(re.findall(r"link\.up link=client", round_.log())) > before, "the session to be continued")
    time.sleep(round_.random.uniform(0.0, ENTERING_S))
    round_.kill()


def kill_with_a_bridge(round_):
    """A bridge dies shortly before or after the focus; its people must be moved."""
    peopled = [number for number, one in round_.scene.bridge_status().items() if one["participants"] > 0]
    bridge = round_.random.choice(peopled)
    fault = f"bridge {bridge} kill for {BRIDGE_BACK_S}s"
    first = round_.random.random() < 0.5
    if first:
        round_.scene.hosts[1].ask(fault)
        time.sleep(round_.random.uniform(0.0, 0.3))
    round_.kill()
    if not first:
        round_.scene.hosts[1].ask(fault)


def kill_with_the_server(round_):
    """Prosody is killed while the focus is away, and both are started again: no session is left."""
    round_.kill()
    round_.scene.kill_prosody()
    time.sleep(PROSODY_DOWN_S)
    round_.scene.prosody.start()


def kill_with_a_full_disk(round_):
    """The disk is full before the kill; it has room again before the start or a second after it."""
    round_.full.touch()
    round_.wait(lambda: any("store_failing" in one or "commit_degraded" in one for one in round_.problems()),
                "the full disk to be told by /readyz")
    time.sleep(round_.random.uniform(0.0, 1.0))
    round_.kill()
    round_.notes["full at start"] = round_.random.random() < 0.5
    if not round_.notes["full at start"]:
        round_.full.unlink()


def free_the_disk(round_):
    round_.full.unlink(missing_ok=True)
    round_.wait(lambda: not any("store_failing" in one or "commit_degraded" in one for one in round_.problems()),
                "the disk to be used again")


def kill_and_damage_the_state(round_):
    """Bytes of state.db, and of what was not yet put into it, are overwritten while the focus is away."""
    round_.kill()
    for path in (round_.scene.daemon.state / "state.db", round_.scene.daemon.state / "state.db-wal"):
        size = path.stat().st_size if path.exists() else 0
        with open(path, "r+b") as file:
            for _ in range(DAMAGES if size else 0):
                file.seek(round_.random.randrange(max(1, size - DAMAGE_BYTES)))
                file.write(os.urandom(DAMAGE_BYTES))


def expect_damage_told(round_):
    found = re.findall(r"store\.damaged .*?damage=(\S+)", round_.log())
    told = [one for one in round_.problems() if one.startswith("store_damaged")]
    if bool(found) != bool(told):
        raise RunFailed(f"the log says {found}, /readyz says {told}")
    round_.notes["damage found"] = " ".join(found)


EVERYTHING = frozenset({"reloads", "moved", "restarts"})
# ADR 0014: what was heard or said and could not be stored, or cannot be read any more, is unknown to the next process, or
# said twice. Until the round ends, that is.
ANYTHING = ("",)
PLAIN = Ending("SIGKILL", kill)
# A source that was added after the moment that could still be read is unknown until its owner removes it.
AFTER_DAMAGE = Ending("SIGKILL", kill, excuses=("source-remove refused",))
# Ten in a row have each of them. After those that people may notice a plain one shows that everything is durable again.
ENDINGS = (
    (Ending("SIGTERM", terminate),),
    (Ending("killed twice", kill_twice),),
    (Ending("killed in recovery", kill_while_it_recovers),),
    (Ending("with a bridge", kill_with_a_bridge, frozenset({"moved", "restarts"})),),
    (Ending("with the server", kill_with_the_server, EVERYTHING, continues=False), PLAIN),
    (Ending("full disk", kill_with_a_full_disk, EVERYTHING, continues=False, excuses=ANYTHING,
            after_start=free_the_disk), PLAIN),
    (Ending("damaged state", kill_and_damage_the_state, EVERYTHING, continues=False, excuses=ANYTHING,
            after_start=expect_damage_told), AFTER_DAMAGE),
)


def in_random_order(random):
    """Endings without end."""
    while True:
        for group in random.sample(ENDINGS, len(ENDINGS)):
            yield from group
