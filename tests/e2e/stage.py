"""Prosody with WebSocket and BOSH, bridges, the daemon and a browser: what every run here needs."""

import pathlib
import sys
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "demo"))

# pylint: disable=wrong-import-position
from browser import Browser, Page, Site
from prosody import free_ports
from scene import Crowd, Fleet, Focus, Scene

BRIDGES = 2
# Global options in one line, as the template wants them. A browser reaches Prosody from another origin, which its HTTP
# modules allow by default; any Host header means the one domain there is.
HTTP_SETTINGS = ('http_ports = {{ {port} }}; http_interfaces = {{ "127.0.0.1" }}; http_default_host = "bascule.test"; '
                 "consider_websocket_secure = true; consider_bosh_secure = true; modules_enabled = {{ "
                 '"roster", "saslauth", "tls", "disco", "ping", "smacks", "version", "bosh", "websocket" }}')


class Stage:
    def __init__(self, bindir, logs):
        self.http_port = free_ports(1)[0]
        focus = Focus(server_settings=HTTP_SETTINGS.format(port=self.http_port))
        self.scene = Scene(bindir, logs, Fleet(BRIDGES, ["--capacity", "100"]), Crowd(0, 0, []), focus)
        self.logs = logs
        self.site = self.browser = None

    def start(self):
        """Everything but the browser."""
        self.scene.start_servers()
        self.scene.start_daemon()
        self.site = Site()

    def start_browser(self):
        self.browser = Browser(self.logs / "browser.log")

    def service(self, transport):
        return {"websocket": "ws://127.0.0.1:{}/xmpp-websocket",
                "bosh": "http://127.0.0.1:{}/http-bind"}[transport].format(self.http_port)

    def address(self, room, transport="websocket", **query):
        return self.site.address(room=room, domain=self.scene.prosody.domain, service=self.service(transport), **query)

    def page(self, name, **query):
        return Page(self.browser, name, self.address(**query))

    # --- what the other side says ---------------------------------------------------------------------

    def metrics(self):
        """Values of the daemon's metrics, labels dropped and summed."""
        url = f"http://127.0.0.1:{self.scene.daemon.admin_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        values = {}
        for line in lines:
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                name = name.split("{")[0]
                values[name] = values.get(name, 0.0) + float(value)
        return values

    def bridge_of(self, endpoint):
        """The number of the live bridge that hosts an endpoint; None: none does."""
        for number, host in self.scene.hosts.items():
            if number not in self.scene.dead_bridges:
                for bridge in host.ask("endpoints")["bridges"]:
                    if any(one["id"] == endpoint for one in bridge["endpoints"]):
                        return number
        return None

    def kill_bridge(self, number):
        self.scene.hosts[number].kill()
        self.scene.dead_bridges.add(number)

    def stop(self):
        if self.browser is not None:
            self.browser.stop()
        self.scene.stop()
        if self.site is not None:
            self.site.stop()
