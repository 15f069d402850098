#!/usr/bin/env python3
"""The real `basculectl doctor` against a real Prosody: all is well, and then each fault for itself, which exactly one check
must find. Run by ctest (integration.doctor)."""

import argparse
import os
import pathlib
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

from doctor_stage import BREWERY, PUBSUB, ROOT, Bridge, DoctorTest, kernel_keeps_time, modules
from daemon import Daemon
from prosody import free_ports
from peer import Peer
from xmpp import Client

NOBODY = pwd.getpwnam("nobody").pw_uid
NOT_RUNNING = {"daemon": "fail"}


class Host(DoctorTest):
    """Nothing of the server changes; one bridge is in the brewery; bascule does not run."""

    usual = NOT_RUNNING

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bridge = Bridge(cls.server, "jvb1")
        cls.addClassCleanup(cls.bridge.leave)

    def setUp(self):
        super().setUp()
        self.bridge.publish()

    def test_everything_but_the_daemon_is_well(self):
        checks = self.doctor()
        self.assertEqual({}, self.complaints(checks))
        self.assertRegex(checks["daemon"]["seen"][0], "no bascule answers")
        self.assertRegex(checks["daemon"]["do"][0], "systemctl start")
        skipped = {name for name, check in checks.items() if check["status"] == "skipped"}
        self.assertEqual({"unit", "descriptors", "placement", "pubsub"}, skipped)
        seen = {name: " | ".join(check["seen"]) for name, check in checks.items()}
        self.assertRegex(seen["smacks"], "resumed; the server keeps it for 15 s")
        self.assertRegex(seen["rooms"], "owns them.*sees real addresses.*make others owner")
        self.assertRegex(seen["requests"], "takes us for focus.bascule.test")
        self.assertRegex(seen["service"], "takes us for bascule.bascule.test")
        self.assertRegex(seen["brewery"], "1 bridge")
        self.assertRegex(seen["clock"], "less than 1 s")
        self.assertRegex(seen["versions"], "Prosody 0.12.*2.3.1")
        self.assertRegex(seen["tls"], "TLSv1.3.*valid for 29 days")

    def test_words_for_people(self):
        done = subprocess.run([self.bindir / "basculectl", "doctor", "--config", self.daemon.config, "--only",
                               "daemon,dns"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stdout, r"(?m)^FAIL +daemon +no bascule answers.*\n +do: .*\n +see: docs/operations.md#doctor-daemon$")
        self.assertRegex(done.stdout, r"(?m)^ok +dns ")
        self.assertRegex(done.stdout, r"1 failed, 0 warned, 1 ok, 0 skipped\n$")

    def test_a_check_that_does_not_exist(self):
        done = subprocess.run([self.bindir / "basculectl", "doctor", "--only", "everything"], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("brewery", done.stderr)

    def test_a_key_that_is_wrong(self):
        checks = self.doctor(self.variant(("[admin]\n", "[admin]\nprot = 1\n")))
        self.assertEqual("fail", checks["config"]["status"])
        self.assertRegex(checks["config"]["seen"][0], r"\.toml:\d+: admin\.prot")
        self.assertEqual({"skipped"}, {check["status"] for name, check in checks.items() if name != "config"})

    def test_no_configuration(self):
        checks = self.doctor(self.folder / "missing.toml")
        self.assertEqual("fail", checks["config"]["status"])
        self.assertRegex(checks["config"]["seen"][0], "missing.toml.*No such file")

    def test_a_secret_everybody_may_read(self):
        secret = self.folder / "public.secret"
        secret.write_text("focus-password\n", encoding="utf-8")
        secret.chmod(0o644)
        config = self.variant((f"{self.daemon.folder}/client.password", str(secret)))
        self.expect(self.doctor(config), "files", "fail", "public.secret.*mode 0644", "chmod o-rwx")

    def test_a_configuration_with_secrets_everybody_may_read(self):
        config = self.variant((f'password-file = "{self.daemon.folder}/client.password"', 'password = "focus-password"'),
                              mode=0o644)
        self.expect(self.doctor(config), "files", "fail", "holds secrets.*0644", "chmod")

    def test_a_configuration_everybody_may_change(self):
        self.expect(self.doctor(self.variant(mode=0o666)), "files", "fail", "0666", "chmod o-w")

    # --- the state directory ----------------------------------------------------------------------

    def state(self, mode=0o700):
        folder = self.folder / f"state-{self._testMethodName}"
        folder.mkdir(mode=mode)
        return folder, self.variant((str(self.daemon.state), str(folder)))

    def unit(self, *changes):
        """A root with the unit of the package in it, enabled, for this configuration."""
        root = self.folder / f"root-{self._testMethodName}"
        units = root / "etc/systemd/system"
        (units / "multi-user.target.wants").mkdir(parents=True)
        text = (ROOT / "packaging/bascule.service").read_text(encoding="utf-8")
        for old, new in (("/etc/bascule/bascule.toml", str(self.daemon.config)), ("User=bascule", "User=root"), *changes):
            self.assertIn(old, text)
            text = text.replace(old, new)
        (units / "bascule.service").write_text(text, encoding="utf-8")
        (units / "multi-user.target.wants/bascule.service").symlink_to(units / "bascule.service")
        return root

    def test_no_state_directory(self):
        self.expect(self.doctor(self.variant((str(self.daemon.state), "/nowhere/state"))), "state", "fail",
                    "/nowhere/state: No such file", "install -d -m 0700")

    def test_a_state_directory_of_somebody_else(self):
        folder, config = self.state()
        os.chown(folder, NOBODY, -1)
        root = self.unit((str(self.daemon.config), str(config)))
        self.expect(self.doctor(config, "--root", str(root)), "state", "fail",
                    "belongs to nobody and not to root.*User=", "chown -R root")

    def test_a_state_directory_others_may_enter(self):
        folder, config = self.state()
        folder.chmod(0o755)
        self.expect(self.doctor(config), "state", "warn", "others may enter", "chmod 0700")

    def test_a_full_disk(self):
        folder, config = self.state()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", folder], check=False)
        if mounted.returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        self.expect(self.doctor(config), "state", "fail", r"\b[01] MiB are free", "make room")

    def test_a_damaged_store(self):
        folder, config = self.state()
        (folder / "state.db").write_bytes(b"no database" * 100)
        self.expect(self.doctor(config), "state", "fail", "damaged", "stats verify --dir")

    # --- what starts it ---------------------------------------------------------------------------

    def test_the_unit_of_the_package(self):
        checks = self.doctor(None, "--root", str(self.unit()))
        self.assertEqual({}, self.complaints(checks))
        self.assertEqual(["ok", "ok"], [checks[name]["status"] for name in ("unit", "descriptors")])

    def test_a_unit_that_does_not_restart(self):
        root = self.unit(("Restart=on-failure", "Restart=no"))
        self.expect(self.doctor(None, "--root", str(root)), "unit", "fail", "Restart=no", "on-failure")

    def test_a_unit_that_is_not_enabled(self):
        root = self.unit()
        (root / "etc/systemd/system/multi-user.target.wants/bascule.service").unlink()
        self.expect(self.doctor(None, "--root", str(root)), "unit", "warn", "not enabled", "systemctl enable")

    def test_no_unit(self):
        empty = self.folder / "empty-root"
        empty.mkdir()
        self.expect(self.doctor(None, "--root", str(empty)), "unit", "warn", "no unit", "packaging/bascule.service")

    def test_few_descriptors(self):
        root = self.unit(("LimitNOFILE=65536", "LimitNOFILE=256"))
        self.expect(self.doctor(None, "--root", str(root)), "descriptors", "fail", "256 files", "65536")

    # --- the way to the server --------------------------------------------------------------------

    def test_a_name_without_address(self):
        config = self.variant(('[links.requests]\nhost = "127.0.0.1"', '[links.requests]\nhost = "nowhere.invalid"'))
        checks = self.doctor(config)
        self.expect(checks, "dns", "fail", "nowhere.invalid.*links.requests", "/etc/hosts")
        self.assertEqual("skipped", checks["requests"]["status"])

    def test_a_closed_port(self):
        config = self.variant((f"port = {self.server.c2s_port}", f"port = {free_ports(1)[0]}"))
        checks = self.doctor(config)
        self.expect(checks, "ports", "fail", "refused", "c2s_ports")
        self.assertEqual({"skipped"}, {checks[name]["status"] for name in
                                       ("tls", "login", "smacks", "rates", "rooms", "requests", "service", "brewery")})

    def test_a_closed_component_port(self):
        config = self.variant((f"port = {self.server.component_port}", f"port = {free_ports(1)[0]}"))
        checks = self.doctor(config)
        self.expect(checks, "ports", "fail", "refused", "component_ports")
        self.assertEqual(["skipped", "skipped"], [checks[name]["status"] for name in ("requests", "service")])

    def test_an_authority_nobody_trusts(self):
        config = self.variant((f'ca-file = "{self.server.certificate}"', ""))
        checks = self.doctor(config)
        self.expect(checks, "tls", "fail", "nobody we trust vouches.*self-signed", "ca-file.*[0-9a-f]{64}")
        self.assertEqual("skipped", checks["login"]["status"])

    def test_a_server_that_says_nothing(self):
        os.kill(self.server.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.server.pid, signal.SIGCONT)
        self.expect(self.doctor(None, "--only", "ports,tls"), "tls", "fail", "does not speak XMPP: it says nothing",
                    "overloaded")

    def test_pins(self):
        der = subprocess.run(["openssl", "x509", "-in", self.server.certificate, "-noout", "-fingerprint", "-sha256"],
                             capture_output=True, text=True, check=True).stdout
        right = der.split("=")[1].strip().replace(":", "").lower()
        ca_file = f'ca-file = "{self.server.certificate}"'
        self.assertEqual({}, self.complaints(self.doctor(self.variant((ca_file, f'pins = ["{right}"]')))))
        self.expect(self.doctor(self.variant((ca_file, f'pins = ["{"0" * 64}"]'))), "tls", "fail",
                    f"fingerprint {right}", "pins")

    # --- who we are -------------------------------------------------------------------------------

    def secret(self, text):
        path = self.folder / f"{self._testMethodName}.secret"
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def test_a_wrong_password(self):
        config = self.variant((f"{self.daemon.folder}/client.password", self.secret("wrong")))
        checks = self.doctor(config)
        self.expect(checks, "login", "fail", "focus@auth.bascule.test: login refused", "prosodyctl passwd")
        # Whether the components are free was found out by an anonymous login.
        self.assertEqual(["ok", "ok"], [checks[name]["status"] for name in ("requests", "service")])

    def test_a_wrong_secret_of_requests(self):
        config = self.variant((f"{self.daemon.folder}/requests.secret", self.secret("wrong")))
        self.expect(self.doctor(config), "requests", "fail", "refuses our secret for focus.bascule.test",
                    "component_secret of Component .focus.bascule.test")

    def test_a_wrong_secret_of_the_service_link(self):
        config = self.variant((f"{self.daemon.folder}/service.secret", self.secret("wrong")))
        self.expect(self.doctor(config), "service", "fail", "refuses our secret for bascule.bascule.test",
                    "links.service.secret")

    def test_a_component_the_server_does_not_know(self):
        config = self.variant(("[links.service]\n", '[links.service]\ncomponent-domain = "other.bascule.test"\n'))
        self.expect(self.doctor(config), "service", "fail", "other.bascule.test.*host-unknown", "add Component")

    def test_rooms_that_are_not_there(self):
        config = self.variant(('domain = "bascule.test"', 'domain = "bascule.test"\nmuc-domain = "rooms.bascule.test"'))
        self.expect(self.doctor(config), "rooms", "fail", "cannot make a room on rooms.bascule.test", "is there a Component")

    # --- bridges ----------------------------------------------------------------------------------

    def test_a_bridge_without_stats(self):
        mute = Bridge(self.server, "jvb2", stats=False)
        self.addCleanup(self.until_gone, mute)
        self.expect(self.doctor(), "brewery", "warn", "without stats, so not used: jvb2", "publish")

    def test_a_bridge_with_an_old_report(self):
        old = Bridge(self.server, "jvb2", age_s=300)
        self.addCleanup(self.until_gone, old)
        self.expect(self.doctor(), "brewery", "warn", r"old: jvb2 \(30\d s\)", "clock")

    def test_bridges_of_two_versions(self):
        other = Bridge(self.server, "jvb2", version="2.2.0")
        self.addCleanup(self.until_gone, other)
        self.expect(self.doctor(), "versions", "warn", "different versions: 2.2.0, 2.3.1", "one version")

    def test_no_bridge(self):
        config = self.variant(("[links.service]\n", '[links.service]\nbrewery = "another"\n'))
        self.expect(self.doctor(config), "brewery", "fail", "no bridge is in another@internal.auth.bascule.test",
                    "start a bridge")

    def test_a_focus_that_is_not_ours_is_left_alone(self):
        other = Client(self.server, "auth.bascule.test", "jvb").bind("jicofo").join(f"{BREWERY}/focus")
        self.addCleanup(self.until_gone, other)
        checks = self.doctor()
        self.assertEqual({}, self.complaints(checks))
        self.assertRegex(checks["brewery"]["seen"][0], "a focus that does not answer here")

    def until_gone(self, occupant):
        """The connection is closed, and the brewery knows it."""
        stream = getattr(occupant, "client", occupant)
        stream.send("</stream:stream>")
        stream.until_closed()
        stream.drop()


class Server(DoctorTest):
    """The server is set up wrongly, each time in one way; no bridge is there, and bascule does not run."""

    usual = NOT_RUNNING | {"brewery": "fail"}

    def changed(self, *arguments, config=None, **changes):
        self.server.change(*arguments, **changes)
        return self.doctor(config)

    def test_smacks_is_not_loaded(self):
        self.expect(self.changed(modules("smacks")), "smacks", "fail", "does not let a session of focus@auth.bascule.test",
                    "module smacks on VirtualHost .auth.bascule.test")

    def test_smacks_forgets_soon(self):
        self.expect(self.changed("smacks_hibernation_time = 5"), "smacks", "warn", "for 5 s only",
                    "smacks_hibernation_time")

    def test_the_focus_may_not_make_rooms(self):
        self.expect(self.changed(replace=('"focus@auth.bascule.test", "jvb', '"jvb')), "rooms", "fail",
                    "cannot make a room on conference.bascule.test: not-allowed", 'add "focus@auth.bascule.test" to admins')

    def test_rooms_hide_real_addresses(self):
        self.expect(self.changed(replace=("muc_room_default_public_jids = true", "muc_room_default_public_jids = false")),
                    "rooms", "warn", "whois=moderators", "muc_room_default_public_jids")

    def test_the_service_link_may_not_enter_the_brewery(self):
        self.server.change(replace=('"bascule.bascule.test", "bascule@bascule.bascule.test", "focus@bascule.bascule.test",',
                                    ""))
        checks = self.doctor()
        self.assertEqual({}, self.complaints(checks))  # The brewery fails as usual; here for another reason.
        self.assertRegex(checks["brewery"]["seen"][0], "bascule.bascule.test may not enter.*not-allowed")
        self.assertRegex(checks["brewery"]["do"][0], "admins")

    def test_limits_hold_for_the_focus(self):
        settings = modules(more=["limits"]) + """
            modules_disabled = { "s2s", "offline" }
            unlimited_jids = { }
            limits = { c2s = { rate = "20kb/s" } }"""
        self.expect(self.changed(settings), "rates", "fail", "48 stanzas of 1 KiB at once.*reads slowly", "unlimited_jids")

    def test_limits_do_not_hold_for_unlimited_jids(self):
        settings = modules(more=["limits"]) + """
            modules_disabled = { "s2s", "offline" }
            limits = { c2s = { rate = "20kb/s" } }"""
        self.assertEqual({}, self.complaints(self.changed(settings)))

    def certificate(self, names, days):
        good = self.server.certificate.read_bytes()
        self.addCleanup(self.server.certificate.write_bytes, good)
        self.server.certificate_of(names, days)
        return self.changed()

    def test_a_certificate_that_expired(self):
        checks = self.certificate(["bascule.test", "auth.bascule.test"], -1)
        self.expect(checks, "tls", "fail", "certificate expired", "renew")
        self.assertEqual("skipped", checks["login"]["status"])

    def test_a_certificate_that_expires_soon(self):
        self.expect(self.certificate(["bascule.test", "auth.bascule.test"], 7), "tls", "warn", "expires in [67] days", "renew")

    def test_a_certificate_for_another_name(self):
        self.expect(self.certificate(["bascule.test", "www.bascule.test"], 30), "tls", "fail",
                    "is for bascule.test, www.bascule.test and not for auth.bascule.test", "names auth.bascule.test")

    def test_no_certificate(self):
        self.expect(self.changed(modules("tls")), "tls", "fail", "TLS is required and the server does not offer it",
                    "module tls")

    def test_another_time(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        (plugins / "mod_time.lua").write_text("""
            local st, datetime = require "util.stanza", require "util.datetime".datetime
            module:hook("iq-get/host/urn:xmpp:time:time", function (event)
                event.origin.send(st.reply(event.stanza):tag("time", { xmlns = "urn:xmpp:time" })
                    :tag("tzo"):text("+00:00"):up():tag("utc"):text(datetime(os.time() + 90)))
                return true
            end)""", encoding="utf-8")
        checks = self.changed(f'plugin_paths = {{ "{plugins}" }}')
        self.expect(checks, "clock", "fail", r"differs from ours by (8\d|90)\.\d s", "NTP")

    # --- the node of bridge stats -----------------------------------------------------------------

    def with_node(self):
        """A configuration that names the node, which is made with two items."""
        self.server.change()
        owner = Client(self.server, "auth.bascule.test", "jvb").bind("owner")
        ask = lambda name, what: (owner.ask("pubsub.bascule.test", name, "set",  # noqa: E731
                                            f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{what}</pubsub>"),
                                  self.assertEqual("result", owner.answer(name).get("type")))
        ask("create", "<create node='sharedStatsNode'/>")
        for name in ("jvb1", "jvb2"):
            ask(name, f"<publish node='sharedStatsNode'><item id='{name}'><stats xmlns='http://jitsi.org/protocol/colibri'>"
                      "<stat name='stress_level' value='0.1'/></stats></item></publish>")
        owner.drop()
        self.addCleanup(self.forget_node)
        return self.node_config("pubsub-persist = true")

    def forget_node(self):
        self.server.kill()
        self.server.forget_pubsub()
        self.server.start()

    def node_config(self, settings=""):
        return self.variant(("[links.service]\n", f"[links.service]\n{PUBSUB}\n{settings}\n"))

    def test_the_node_is_as_it_should_be(self):
        config = self.variant(text=self.with_node().read_text(encoding="utf-8"))
        checks = self.doctor(config)
        # Prosody's own default of 20 items loses bridges.
        self.expect(checks, "pubsub", "warn", "max_items = 20, which is to be max", "configures")

    def test_the_node_is_not_there(self):
        self.expect(self.changed(config=self.node_config()), "pubsub", "warn", "does not exist .item-not-found", "bascule makes it")

    def test_the_node_keeps_items(self):
        self.with_node()
        self.expect(self.doctor(self.node_config()), "pubsub", "warn", "persist_items = 1, which is to be 0")

    def test_the_service_is_not_there(self):
        config = self.variant(("[links.service]\n", f"[links.service]\n{PUBSUB.replace('pubsub.b', 'nopubsub.b')}\n"))
        self.expect(self.changed(config=config), "pubsub", "fail", "nopubsub.bascule.test does not answer", "module pubsub")

    def test_the_node_is_not_ours(self):
        config = self.with_node()
        admins = '"bascule.bascule.test", "bascule@bascule.bascule.test", "focus@bascule.bascule.test",'
        checks = self.changed(replace=(admins, ""), config=config)
        self.expect(checks, "pubsub", "warn", "focus@bascule.bascule.test may not configure.*forbidden",
                    'add "focus@bascule.bascule.test" to admins')

    def test_the_items_are_truncated(self):
        config = self.with_node()
        items = self.server.pubsub_files()[1]
        checks = self.changed(config=config, files=lambda: os.truncate(items, items.stat().st_size * 2 // 3))
        self.expect(checks, "pubsub", "fail", "items of the node sharedStatsNode cannot be read",
                    "pubsub%2ebascule%2etest/pubsub_sharedStatsNode.list")

    def test_the_record_of_the_node_is_truncated(self):
        config = self.with_node()
        record = self.server.pubsub_files()[0]
        checks = self.changed(config=config, files=lambda: os.truncate(record, record.stat().st_size // 2))
        self.expect(checks, "pubsub", "fail", "does not say that it is a pubsub service",
                    "pubsub%2ebascule%2etest/pubsub_nodes/sharedStatsNode.dat")


class Running(DoctorTest):
    """Bascule runs, with a bridge; the doctor must disturb neither."""

    @classmethod
    def make_daemon(cls):
        return Daemon(cls.bindir / "bascule", cls.folder / "bascule", cls.server,
                      service_settings=PUBSUB, selection_settings='settle-quiet = "100 ms"\nsettle-min-bridges = 1')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bridges = Peer("bridges", [cls.bindir / "bascule-bridgesim", "--port", cls.server.c2s_port, "--password",
                                       cls.server.passwords["jvb"], "--bridges", 1, "--interval-ms", 1000,
                                       "--pubsub-node", "sharedStatsNode"], cls.folder)
        cls.addClassCleanup(cls.bridges.stop)
        cls.daemon.start()
        cls.addClassCleanup(lambda: cls.daemon.process is not None and cls.daemon.stop())
        cls.until("events of the node arrive", lambda: cls.pubsub_state() == "working")

    @staticmethod
    def until(what, condition, limit_s=20):
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.05)

    @classmethod
    def pubsub_state(cls):
        import urllib.request  # pylint: disable=import-outside-toplevel
        with urllib.request.urlopen(f"http://127.0.0.1:{cls.daemon.admin_port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        now = [line for line in lines if line.startswith("bascule_pubsub_state{") and line.endswith(" 1")]
        return now[0].split('"')[1] if now else None

    def log(self):
        return self.daemon.log.read_text(encoding="utf-8")

    def test_all_is_well_and_nobody_is_disturbed(self):
        before = self.log()
        checks = self.doctor()
        self.assertEqual({}, self.complaints(checks))
        skipped = {name for name, check in checks.items() if check["status"] == "skipped"}
        self.assertEqual({"unit"}, skipped)
        for name in ("requests", "service"):
            self.assertRegex(checks[name]["seen"][0], "the running bascule is connected.*not tried")
        self.assertRegex(" ".join(checks["pubsub"]["seen"]), "is subscribed, and events arrive")
        self.assertRegex(checks["descriptors"]["seen"][0], "the running bascule may open")
        self.assertRegex(checks["state"]["seen"][0], "belongs to")
        after = self.log()[len(before):]
        self.assertNotRegex(after, "link[.]|bridge[.]|brewery[.]|warn|error")
        self.assertTrue(self.daemon.ready())
        if kernel_keeps_time():
            self.assertEqual("ok", checks["clock"]["status"])

    def test_few_descriptors(self):
        before = resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (512, before[1]))
        self.addCleanup(resource.prlimit, self.daemon.pid, resource.RLIMIT_NOFILE, before)
        self.expect(self.doctor(), "descriptors", "fail", "running bascule may open 512 files", "65536")

    def test_a_state_directory_that_is_not_the_daemons(self):
        os.chown(self.daemon.state, NOBODY, -1)
        self.addCleanup(os.chown, self.daemon.state, 0, -1)
        self.expect(self.doctor(), "state", "fail", "not to root.*the running bascule is that user")

    def test_last_no_bridge_is_left(self):
        self.bridges.stop()
        self.until("the bridge is gone", lambda: not self.daemon.ready())
        checks = self.doctor()
        found = self.complaints(checks)
        self.assertEqual("fail", found.pop("brewery"))
        self.assertEqual("fail", found.pop("daemon"))
        self.assertRegex(checks["daemon"]["seen"][0], "no_bridge")
        self.assertRegex(checks["brewery"]["seen"][0], "the running bascule")
        self.assertLessEqual(set(found), {"placement", "pubsub"}, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bindir", required=True, type=pathlib.Path)
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    DoctorTest.bindir = arguments.bindir
    if shutil.which("prosody") is None:
        raise SystemExit("prosody is not installed (scripts/install_deps.sh)")
    began = time.monotonic()
    program = unittest.main(argv=[sys.argv[0], *arguments.tests], exit=False, verbosity=2)
    print(f"took {time.monotonic() - began:.1f} s")
    return 0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
