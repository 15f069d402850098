"""Does every scripted fault of bascule-bridgesim do what tests/peers/README.md says?

One bridge on a real Prosody, seen through a component that sits in the brewery as a focus would.
"""

import time

from fake_focus import COLIBRI2, FakeFocus
from peer import Peer, PeerError
from prosody import Prosody

STATS = "{http://jitsi.org/protocol/colibri}stats"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
DEADLINE_S = 10
# How long an answer that must not come is waited for.
SILENCE_S = 1.0
ENDPOINT = ("<endpoint id='{0}' create='true'><transport/><capability name='source-names'/></endpoint>")


class Watcher(FakeFocus):
    """Keeps what the bridge publishes and answers."""

    def __init__(self, prosody):
        super().__init__(prosody)
        self.stats = {}        # names and first values of the last statistics
        self.names = []        # all names, with repetitions
        self.published = 0     # presences with statistics
        self.bare = 0          # presences without
        self.absences = 0      # unavailable presences
        self.present = False

    def on_presence(self, element):
        if element.get("from") != f"{self.brewery}/jvb1":
            return
        if element.get("type") == "unavailable":
            self.absences += 1
            self.present = False
            return
        self.present = True
        stats = element.find(STATS)
        if stats is None:
            self.bare += 1
            return
        values = {}
        for stat in stats:
            values.setdefault(stat.get("name"), stat.get("value"))
        self.names = [stat.get("name") for stat in stats]
        self.stats = values
        self.published += 1

    def ask(self, body, wait_s=DEADLINE_S):
        """The answer to an IQ to the bridge, or None."""
        answers = []
        self.iq(f"{self.brewery}/jvb1", body, answers.append, kind="get")
        deadline = time.monotonic() + wait_s
        while not answers and time.monotonic() < deadline:
            time.sleep(0.01)
        return answers[0] if answers else None

    def modify(self, meeting, body="", attributes="", wait_s=DEADLINE_S):
        return self.ask(f"<conference-modify xmlns='jitsi:colibri2' meeting-id='{meeting}' {attributes}>{body}"
                        "</conference-modify>", wait_s)

    def create(self, meeting, endpoint="a", wait_s=DEADLINE_S):
        return self.modify(meeting, ENDPOINT.format(endpoint), f"create='true' name='{meeting}@conference.x'", wait_s)


def wait_for(what, condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise PeerError(f"{what} did not happen")
        time.sleep(0.02)


def condition_of(answer):
    """result, silence, or the error condition with the colibri2 reason."""
    if answer is None:
        return "silence"
    if answer.get("type") == "result":
        return "result"
    error = next(child for child in answer if child.tag.endswith("}error"))
    condition = next(child.tag.replace(STANZAS, "") for child in error if child.tag.startswith(STANZAS))
    reason = error.find(f"{COLIBRI2}error")
    return condition if reason is None else f"{condition}/{reason.get('reason')}"


def expect(what, answer, condition):
    if condition_of(answer) != condition:
        raise PeerError(f"{what}: {condition_of(answer)} instead of {condition}")


def next_stats(watcher):
    """Waits for two publications: the first may have been on its way already."""
    seen = watcher.published
    wait_for("statistics", lambda: watcher.published >= seen + 2)
    return watcher.stats


def check_answers(bridge, watcher):
    """The order of answers and the errors of a bridge without faults."""
    expect("update of an unknown meeting", watcher.modify("m0"), "item-not-found/conference_not_found")
    expect("create", watcher.create("m1"), "result")
    expect("create twice", watcher.create("m1"), "conflict/conference_already_exists")
    update = "<endpoint id='b'><sources/></endpoint>"
    expect("unknown endpoint", watcher.modify("m1", update), "item-not-found/unknown_endpoint")
    expect("force-mute of an unknown endpoint", watcher.modify("m1", "<endpoint id='b'><force-mute/></endpoint>"),
           "result")
    expect("expire of the last endpoint", watcher.modify("m1", "<endpoint id='a' expire='true'/>"), "result")
    expect("the empty conference", watcher.modify("m1", update), "item-not-found/conference_not_found")
    expect("health", watcher.ask("<healthcheck xmlns='http://jitsi.org/protocol/healthcheck'/>"), "result")
    if bridge.ask("status")["violations"]:
        raise PeerError(f"a correct focus was blamed: {bridge.violations()}")
    expect("request without meeting-id", watcher.ask("<conference-modify xmlns='jitsi:colibri2'/>", SILENCE_S),
           "silence")
    if bridge.ask("status")["violations"] != 1:
        raise PeerError("a malformed request was not reported")


def check_work_faults(bridge, watcher):
    bridge.ask("bridge 1 zombie")
    expect("zombie", watcher.create("z1", wait_s=SILENCE_S), "silence")
    expect("health of a zombie", watcher.ask("<healthcheck xmlns='http://jitsi.org/protocol/healthcheck'/>"), "result")
    bridge.ask("bridge 1 clear")
    bridge.ask("bridge 1 slow 700ms")
    began = time.monotonic()
    expect("slow", watcher.create("s1"), "result")
    if time.monotonic() - began < 0.7:
        raise PeerError("slow answered at once")
    bridge.ask("bridge 1 clear")
    bridge.ask("bridge 1 errors internal 1 create")
    expect("errors", watcher.create("e1"), "internal-server-error")
    expect("errors of other requests", watcher.modify("s1", "<endpoint id='a'><sources/></endpoint>"), "result")
    bridge.ask("bridge 1 clear")
    bridge.ask("bridge 1 lose-endpoints 1")
    expect("lose-endpoints", watcher.modify("s1", "<endpoint id='a'><sources/></endpoint>"),
           "item-not-found/unknown_endpoint")
    bridge.ask("bridge 1 amnesia")
    expect("amnesia", watcher.modify("s1", "<endpoint id='a'><sources/></endpoint>"),
           "item-not-found/conference_not_found")
    bridge.ask("bridge 1 unhealthy iq")
    expect("unhealthy iq", watcher.ask("<healthcheck xmlns='http://jitsi.org/protocol/healthcheck'/>"),
           "internal-server-error")
    bridge.ask("bridge 1 clear")
    bridge.ask("bridge 1 graceful")
    expect("graceful", watcher.create("g1"), "service-unavailable/graceful_shutdown")
    bridge.ask("bridge 1 clear")


def check_stats_faults(bridge, watcher):
    def published(command, name, value):
        bridge.ask(f"bridge 1 {command}")
        got = next_stats(watcher).get(name)
        if got != value:
            raise PeerError(f"{command}: {name} is {got}")
        bridge.ask("bridge 1 clear")
    published("graceful", "graceful_shutdown", "true")
    published("shutting-down", "shutting_down", "true")
    published("drain on", "drain", "true")
    published("drain absent", "drain", None)
    published("unhealthy stats", "healthy", "false")
    published("lie nan", "stress_level", "NaN")
    published("lie negative", "stress_level", "-0.3")
    published("lie tiny", "stress_level", "1.0E-4")
    published("lie missing", "stress_level", None)
    published("lie whitelist", "participants", None)
    published("lie extra", "unknown_stat_199", "text & <markup> '199'")
    bridge.ask("bridge 1 lie duplicate")
    next_stats(watcher)
    if watcher.names.count("stress_level") != 2:
        raise PeerError("lie duplicate: one stress_level")
    bridge.ask("bridge 1 clear")
    bridge.ask("bridge 1 stats absent")
    bare = watcher.bare
    wait_for("presence without statistics", lambda: watcher.bare >= bare + 2)
    bridge.ask("bridge 1 clear")


def check_link_faults(bridge, watcher):
    bridge.ask("bridge 1 flap 300ms for 1500ms")
    absences = watcher.absences
    wait_for("flapping", lambda: watcher.absences >= absences + 2)
    wait_for("the end of flapping", lambda: bridge.ask("status")["bridges"][0]["joined"])
    next_stats(watcher)
    expect("create", watcher.create("p1"), "result")
    absences = watcher.absences
    bridge.ask("bridge 1 partition for 500ms")
    wait_for("partition", lambda: watcher.absences > absences and watcher.present)
    expect("conference after a partition", watcher.modify("p1", "<endpoint id='a'><sources/></endpoint>"), "result")
    bridge.ask("bridge 1 hang for 2s")
    expect("hang", watcher.modify("p1", "<endpoint id='a'><sources/></endpoint>", wait_s=SILENCE_S), "silence")
    next_stats(watcher)
    absences = watcher.absences
    bridge.ask("bridge 1 kill for 500ms")
    wait_for("kill", lambda: watcher.absences > absences and watcher.present)
    expect("conference after a crash", watcher.modify("p1", "<endpoint id='a'><sources/></endpoint>"),
           "item-not-found/conference_not_found")


def run(bindir, folder):
    folder.mkdir()
    (folder / "prosody").mkdir()
    prosody = Prosody(folder / "prosody")
    bridge, watcher = None, None
    try:
        prosody.start()
        watcher = Watcher(prosody)
        watcher.start()
        bridge = Peer("bridge", [bindir / "bascule-bridgesim", "--port", prosody.c2s_port, "--domain", prosody.domain,
                                 "--password", prosody.passwords["jvb"], "--interval-ms", 150], folder)
        wait_for("the bridge in the brewery", lambda: watcher.published > 0)
        for check in (check_answers, check_work_faults, check_stats_faults, check_link_faults):
            check(bridge, watcher)
            print(f"ok: {check.__name__}")
        if watcher.failure:
            raise PeerError(f"watcher: {watcher.failure}")
    finally:
        if bridge:
            bridge.stop()
        if watcher:
            watcher.stop()
        prosody.stop()
