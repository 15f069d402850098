"""A scripted focus, just good enough to drive the test peers: one XEP-0114 component that answers
conference requests, opens rooms, allocates on the first bridge it sees and offers sessions.

`mistakes` is a set of names; each makes it break one rule, which the peers must notice.
"""

import hashlib
import json
import socket
import threading
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

MUC_USER = "{http://jabber.org/protocol/muc#user}"
COLIBRI2 = "{jitsi:colibri2}"
JINGLE = "{urn:xmpp:jingle:1}"
ICE = "{urn:xmpp:jingle:transports:ice-udp:1}"
RTP = "{urn:xmpp:jingle:apps:rtp:1}"
SSMA = "{urn:xmpp:jingle:apps:rtp:ssma:0}"
COMPONENT = "{jabber:component:accept}"


class FakeFocus(threading.Thread):
    def __init__(self, prosody, mistakes=()):
        super().__init__(daemon=True)
        self.prosody = prosody
        self.domain = prosody.domain
        self.mistakes = set(mistakes)
        self.me = f"focus@focus.{self.domain}/focus"
        self.brewery = f"jvbbrewery@internal.auth.{self.domain}"
        self.bridge = None
        self.rooms = {}     # room -> {"meeting", "members": {nick: state}}
        self.pending = {}   # iq id -> callback
        self.next_id = 0
        self.failure = None
        self.seen = {"bridge_stats": 0, "accepts": 0}
        self.socket = socket.create_connection(("127.0.0.1", prosody.component_port))
        self.parser = ET.XMLPullParser(["start", "end"])

    # --- stream -----------------------------------------------------------------------------------

    def send(self, text):
        self.socket.sendall(text.encode("utf-8"))

    def iq(self, to, body, callback=None, kind="set"):
        self.next_id += 1
        name = f"f{self.next_id}"
        if callback:
            self.pending[name] = callback
        self.send(f"<iq type='{kind}' id='{name}' from='{self.me}' to={quoteattr(to)}>{body}</iq>")

    def run(self):
        try:
            self.send("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
                      f"xmlns:stream='http://etherx.jabber.org/streams' to='focus.{self.domain}'>")
            root, depth = None, 0
            while data := self.socket.recv(65536):
                self.parser.feed(data)
                for event, element in self.parser.read_events():
                    depth += 1 if event == "start" else -1
                    if event == "start" and depth == 1:
                        root = element
                        secret = element.get("id") + self.prosody.focus_secret
                        digest = hashlib.sha1(secret.encode()).hexdigest()
                        self.send(f"<handshake>{digest}</handshake>")
                    elif event == "end" and depth == 1:
                        self.handle(element)
                        root.remove(element)
        except OSError:
            pass  # The test closed the connection.
        except Exception as error:  # Shown by the test: a thread has nobody to raise to.
            self.failure = error
            raise

    def stop(self):
        self.socket.close()

    def handle(self, element):
        tag = element.tag.replace(COMPONENT, "")
        if tag == "handshake":
            self.send(f"<presence from='{self.me}' to='{self.brewery}/focus'>"
                      "<x xmlns='http://jabber.org/protocol/muc'/></presence>")
        elif tag == "presence":
            self.on_presence(element)
        elif tag == "iq":
            self.on_iq(element)

    # --- focus ------------------------------------------------------------------------------------

    def on_presence(self, element):
        room, _, nick = element.get("from").partition("/")
        if room == self.brewery:
            if element.find("{http://jitsi.org/protocol/colibri}stats") is not None:
                self.seen["bridge_stats"] += 1
                self.bridge = self.bridge or element.get("from")
            return
        if nick == "focus" or room not in self.rooms or element.get("type"):
            return
        members = self.rooms[room]["members"]
        if nick not in members:
            members[nick] = {"features": None, "sources": None}
            self.iq(f"{room}/{nick}", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                    lambda answer: self.on_features(room, nick, answer), kind="get")

    def on_features(self, room, nick, answer):
        members = self.rooms[room]["members"]
        members[nick]["features"] = {feature.get("var") for feature in answer.iter() if feature.get("var")}
        ready = [name for name, state in members.items() if state["features"] and not state.get("invited")]
        if len([1 for state in members.values() if state["features"]]) >= 2:
            for name in ready:
                members[name]["invited"] = True
                self.allocate(room, name)

    def allocate(self, room, nick):
        first = not self.rooms[room].get("created")
        self.rooms[room]["created"] = True
        extra = f" create='true' name={quoteattr(room)}" if first else ""
        capability = "" if "no-source-names" in self.mistakes else "<capability name='source-names'/>"
        self.iq(self.bridge,
                f"<conference-modify xmlns='jitsi:colibri2' meeting-id='{self.rooms[room]['meeting']}'{extra}>"
                f"<endpoint id='{nick}' create='true'><media type='audio'><payload-type id='111' name='opus' "
                "clockrate='48000' channels='2' xmlns='urn:xmpp:jingle:apps:rtp:1'/></media>"
                f"<transport ice-controlling='true'><sctp/></transport><sources/>{capability}</endpoint>"
                "</conference-modify>", lambda answer: self.offer(room, nick, answer), kind="get")

    def offer(self, room, nick, answer):
        modified = answer.find(f"{COLIBRI2}conference-modified")
        if modified is None:
            return
        transport = modified.find(f"{COLIBRI2}endpoint/{COLIBRI2}transport/{ICE}transport")
        ice = ET.tostring(transport, encoding="unicode")
        data_transport = ET.fromstring(ice)
        data_transport.append(ET.fromstring("<sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='5000' "
                                            "protocol='webrtc-datachannel' streams='1024'/>"))
        state = self.rooms[room]["members"][nick]
        state["sid"] = uuid.uuid4().hex[:12]
        feedback = {source.get("name"): int(source.get("ssrc")) for source in modified.iter(f"{SSMA}source")}
        known = {"jvb": [[["jvb-v0", feedback["jvb-v0"]]], [["jvb-a0", feedback["jvb-a0"]]]]}
        sources = {"jvb": [[{"s": known["jvb"][0][0][1], "n": "jvb-v0", "m": "mixedmslabel mixedlabelvideo0"}], [],
                           [{"s": known["jvb"][1][0][1], "n": "jvb-a0", "m": "mixedmslabel mixedlabelaudio0"}]]}
        for other, other_state in self.rooms[room]["members"].items():
            if other_state["sources"] and other != nick:
                sources[other] = other_state["sources"]
        json_mode = "http://jitsi.org/json-encoded-sources" in state["features"]
        contents = ""
        for name in ("audio", "video", "data"):
            media = "application" if name == "data" else name
            payload = "" if name == "data" else "<payload-type id='100' name='X' clockrate='90000'/>"
            xml = "" if json_mode or name == "data" else self.xml_sources(sources, name == "video")
            mux = "" if "no-rtcp-mux" in self.mistakes else "<rtcp-mux/>"
            this = ET.tostring(data_transport, encoding="unicode") if name == "data" else ice
            contents += (f"<content creator='initiator' name='{name}' senders='both'>"
                         f"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='{media}'>{payload}{xml}{mux}"
                         f"</description>{this}</content>")
        message = ("<json-message xmlns='http://jitsi.org/jitmeet'>" + json.dumps({"sources": sources}) +
                   "</json-message>") if json_mode else ""
        offer = (f"<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' initiator='{self.me}' "
                 f"sid='{state['sid']}'>{contents}<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>"
                 "<content name='audio'/><content name='video'/><content name='data'/></group>"
                 f"<bridge-session xmlns='http://jitsi.org/protocol/focus' id='{uuid.uuid4()}'/>{message}</jingle>")
        self.iq(f"{room}/{nick}", offer)
        if "two-sessions" in self.mistakes:
            self.iq(f"{room}/{nick}", offer.replace(state["sid"], state["sid"] + "x"))

    @staticmethod
    def xml_sources(sources, video):
        text = ""
        for owner, lists in sources.items():
            for source in lists[0 if video else 2]:
                text += (f"<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='{source['s']}' name='{source['n']}'>"
                         f"<ssrc-info xmlns='http://jitsi.org/jitmeet' owner='{owner}'/><parameter "
                         f"xmlns='urn:xmpp:jingle:apps:rtp:1' name='msid' value='{source['m']}'/></source>")
        return text

    def on_iq(self, element):
        kind, name, sender = element.get("type"), element.get("id"), element.get("from")
        if kind in ("result", "error"):
            callback = self.pending.pop(name, None)
            if callback:
                callback(element)
            return
        result = f"<iq type='result' id='{name}' from='{element.get('to')}' to={quoteattr(sender)}"
        conference = element.find("{http://jitsi.org/protocol/focus}conference")
        jingle = element.find(f"{JINGLE}jingle")
        if conference is not None:
            room = conference.get("room")
            if room not in self.rooms:
                self.rooms[room] = {"meeting": str(uuid.uuid4()), "members": {}}
                self.send(f"<presence from='{self.me}' to={quoteattr(room + '/focus')}>"
                          "<x xmlns='http://jabber.org/protocol/muc'/></presence>")
            focus = self.me.split("/")[0]
            self.send(result + f"><conference xmlns='http://jitsi.org/protocol/focus' room={quoteattr(room)} "
                               f"ready='true' focusjid='{focus}'/></iq>")
        elif jingle is not None and jingle.get("action") == "session-accept":
            if "refuse-accept" in self.mistakes:
                self.send(result.replace("result", "error") + "><error type='modify'><bad-request "
                          "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
                return
            self.send(result + "/>")
            if "answers-twice" in self.mistakes:
                self.send(result + "/>")
            self.on_accept(*sender.split("/", 1), jingle)
        else:
            self.send(result + "/>")

    def on_accept(self, room, nick, jingle):
        self.seen["accepts"] += 1
        mine = [[], [], []]
        for description in jingle.iter(f"{RTP}description"):
            video = description.get("media") == "video"
            simulcast = {member.get("ssrc") for group in description.findall(f"{SSMA}ssrc-group")
                         if group.get("semantics") == "SIM" for member in list(group)[1:]}
            simulcast |= {list(group)[1].get("ssrc") for group in description.findall(f"{SSMA}ssrc-group")
                          if group.get("semantics") == "FID" and list(group)[0].get("ssrc") in simulcast}
            for source in description.findall(f"{SSMA}source"):
                if source.get("ssrc") not in simulcast:
                    msid = source.find(f"{SSMA}parameter").get("value")
                    mine[0 if video else 2].append({"s": int(source.get("ssrc")), "n": source.get("name"), "m": msid})
        if "wrong-msid" in self.mistakes:
            mine[2][0]["m"] = "somebody else"
        state = self.rooms[room]["members"][nick]
        state["sources"] = mine
        self.iq(self.bridge, f"<conference-modify xmlns='jitsi:colibri2' meeting-id='{self.rooms[room]['meeting']}'>"
                f"<endpoint id='{nick}'><transport><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='a' "
                "pwd='b'/></transport></endpoint></conference-modify>", kind="get")
        if "silent-sources" in self.mistakes:
            return
        for other, other_state in self.rooms[room]["members"].items():
            if other == nick or "sid" not in other_state:
                continue
            if "http://jitsi.org/json-encoded-sources" in other_state["features"]:
                body = ("<json-message xmlns='http://jitsi.org/jitmeet'>" +
                        json.dumps({"sources": {nick: mine}}) + "</json-message>")
            else:
                body = "".join(f"<content name='{media}'><description xmlns='urn:xmpp:jingle:apps:rtp:1' "
                               f"media='{media}'>{self.xml_sources({nick: mine}, media == 'video')}</description>"
                               "</content>" for media in ("audio", "video"))
            self.iq(f"{room}/{other}", f"<jingle xmlns='urn:xmpp:jingle:1' action='source-add' "
                                       f"sid='{other_state['sid']}'>{body}</jingle>")
