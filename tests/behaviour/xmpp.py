"""Raw XML over plain sockets: nothing here retries, acknowledges or answers by itself."""

import base64
import hashlib
import socket
import time
import xml.etree.ElementTree as ET

CLIENT = "{jabber:client}"
COMPONENT = "{jabber:component:accept}"
SM = "{urn:xmpp:sm:3}"
MUC_USER = "{http://jabber.org/protocol/muc#user}"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
PATIENCE_S = 30
READ_BYTES = 65536


class Unseen(AssertionError):
    """What was waited for did not come."""


def show(element):
    """A stanza in one short line."""
    text = ET.tostring(element, encoding="unicode")
    return text if len(text) < 300 else text[:297] + "..."


def name(element):
    """Without namespace."""
    return element.tag.rsplit("}", 1)[-1]


class Stream:
    """One TCP connection with one XML stream; `inbox` has what came and was not taken."""

    def __init__(self, port, to, namespace):
        self.to, self.namespace = to, namespace
        self.inbox = []
        self.ended = False
        self.stream_id = None
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open()

    def open(self):
        """Begins a stream (again) and waits for the server's."""
        self.parser = ET.XMLPullParser(("start", "end"))
        self.depth, self.root, self.stream_id = 0, None, None
        self.send(f"<?xml version='1.0'?><stream:stream to='{self.to}' version='1.0' xmlns='{self.namespace}' "
                  "xmlns:stream='http://etherx.jabber.org/streams'>")
        while self.stream_id is None:
            self._read(PATIENCE_S)

    def send(self, text):
        self.socket.sendall(text.encode())

    def _read(self, patience_s):
        """One read; returns False when nothing came in time."""
        self.socket.settimeout(max(0.001, patience_s))
        try:
            data = self.socket.recv(READ_BYTES)
        except TimeoutError:
            return False
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
            return True
        self.parser.feed(data)
        for event, element in self.parser.read_events():
            if event == "start":
                self.depth += 1
                if self.depth == 1:
                    self.root, self.stream_id = element, element.get("id")
            else:
                self.depth -= 1
                if self.depth == 1:
                    self.inbox.append(element)
                    self.root.remove(element)
        return True

    def wait(self, matches, what):
        """Takes the first stanza that matches out of the inbox."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for position, element in enumerate(self.inbox):
                if matches(element):
                    return self.inbox.pop(position)
            left = deadline - time.monotonic()
            if self.ended or left <= 0:
                came = "\n    ".join(map(show, self.inbox[-8:])) or "nothing"
                raise Unseen(f"no {what} ({'the server closed' if self.ended else f'waited {PATIENCE_S} s'}); came:\n"
                             f"    {came}")
            self._read(left)

    def until_closed(self):
        """Reads until the server has closed the connection."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.ended:
            if time.monotonic() > deadline:
                raise Unseen("the server keeps the connection open")
            self._read(deadline - time.monotonic())

    def count(self, matches):
        return sum(1 for element in self.inbox if matches(element))

    def forget(self):
        self.inbox.clear()

    def drop(self):
        """Closes the connection without ending the stream, as the kernel does for a dead process."""
        self.socket.close()


class Client(Stream):
    """Logged in and not bound to a resource. Without a user: anonymous."""

    def __init__(self, server, host, user=None):
        super().__init__(server.c2s_port, host, "jabber:client")
        self.server, self.host, self.user = server, host, user
        self.jid, self.pings = None, 0
        if user is None:
            self.send(f"<auth xmlns='{SASL}' mechanism='ANONYMOUS'/>")
        else:
            plain = base64.b64encode(f"\0{user}\0{server.passwords[user]}".encode()).decode()
            self.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{plain}</auth>")
        self.wait(lambda one: one.tag == f"{{{SASL}}}success", "success of the login")
        self.open()
        self.wait(lambda one: name(one) == "features", "stream features")
        self.forget()

    def bind(self, resource=None):
        wish = f"<resource>{resource}</resource>" if resource else ""
        self.send(f"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wish}</bind></iq>")
        answer = self.answer("bind")
        self.jid = next(answer.iter("{urn:ietf:params:xml:ns:xmpp-bind}jid")).text
        return self

    def enable(self):
        """XEP-0198 with resumption; returns the token."""
        self.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        return self.wait(lambda one: one.tag == SM + "enabled", "<enabled/>").get("id")

    def resume(self, token, handled):
        """Returns <resumed/> or <failed/>."""
        self.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='{handled}'/>")
        return self.wait(lambda one: one.tag in (SM + "resumed", SM + "failed"), "answer to <resume/>")

    def acknowledge(self, handled):
        self.send(f"<a xmlns='urn:xmpp:sm:3' h='{handled}'/>")

    def answer(self, identity):
        return self.wait(lambda one: one.tag == CLIENT + "iq" and one.get("id") == identity and
                         one.get("type") in ("result", "error"), f"answer to '{identity}'")

    def ask(self, to, identity, kind="set", payload="<query xmlns='urn:example:ask'/>"):
        self.send(f"<iq type='{kind}' id='{identity}' to='{to}'>{payload}</iq>")

    def reply(self, request, kind="result"):
        self.send(f"<iq type='{kind}' id='{request.get('id')}' to='{request.get('from')}'/>")

    def barrier(self):
        """After it the inbox has everything the server had to say so far: it works on one thing after the other."""
        self.pings += 1
        self.ask(self.server.domain, f"barrier{self.pings}", "get", "<ping xmlns='urn:xmpp:ping'/>")
        self.answer(f"barrier{self.pings}")
        return self

    # --- rooms ------------------------------------------------------------------------------------

    def presence(self, to, payload="", kind=""):
        self.send(f"<presence to='{to}'{f' type={kind!r}' if kind else ''}>{payload}</presence>")

    def join(self, occupant, payload=""):
        """Enters a room and waits for the presence of oneself."""
        self.presence(occupant, f"<x xmlns='http://jabber.org/protocol/muc'/>{payload}")
        self.wait(lambda one: is_presence(one, occupant) and "110" in statuses(one), f"own presence as {occupant}")
        return self


class Component(Stream):
    """XEP-0114; `handshake` is separate, because what happens before it is of interest."""

    def __init__(self, server, host):
        super().__init__(server.component_port, host, "jabber:component:accept")

    def handshake(self, secret):
        """Returns the answer: <handshake/> or an error."""
        digest = hashlib.sha1((self.stream_id + secret).encode()).hexdigest()
        self.send(f"<handshake>{digest}</handshake>")
        return self.wait(lambda one: name(one) in ("handshake", "error"), "answer to the handshake")


def is_iq(element, kinds=("get", "set")):
    return name(element) == "iq" and element.get("type") in kinds


def is_presence(element, sender, kind=None):
    """`kind` None: available."""
    return name(element) == "presence" and element.get("from") == sender and element.get("type") == kind


def statuses(element):
    return {one.get("code") for one in element.iter(MUC_USER + "status")}


def items(element):
    return list(element.iter(MUC_USER + "item"))


def conditions(element):
    """Names of the elements of an error."""
    return {name(one) for one in element.iter()} - {"error", "text"}


def mark(text):
    """A payload of presence that tells who sent it."""
    return f"<mark xmlns='urn:example:mark'>{text}</mark>"


def marks(element):
    return [one.text for one in element.iter("{urn:example:mark}mark")]
