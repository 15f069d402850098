import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

from program import DAMAGED, FAILED, NOT_PERMITTED, OK, USAGE, CtlTest, ctl
from server import Server, problem, recorded

BRIDGES = {("GET", "/v1/bridges"): (200, recorded("bridges"))}


def make_certificates(folder):
    """An authority, and a certificate of it for 127.0.0.1 only."""
    run = lambda *command: subprocess.run(command, check=True, capture_output=True, cwd=folder)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=focus",
        "-keyout", "own.key", "-out", "own.csr")
    pathlib.Path(folder, "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    run("openssl", "x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
        "2", "-extfile", "names", "-out", "own.pem")
    return os.path.join(folder, "own.pem"), os.path.join(folder, "own.key")


class Reach(CtlTest):
    def test_tcp(self):
        with Server(BRIDGES) as server:
            self.expect(ctl("bridges", url=server.url), OK, out="jvb-2")
            self.assertEqual(server.last()["headers"]["host"], server.url.removeprefix("http://"))

    def test_the_environment_says_where(self):
        with Server(BRIDGES) as server:
            self.expect(ctl("bridges", BASCULE_URL=server.url), OK, out="jvb-2")

    def test_options_may_stand_before_and_behind_the_command(self):
        with Server(BRIDGES) as server:
            self.expect(ctl("--url", server.url, "bridges", "--json"), OK, out='{"bridges":[')
            self.expect(ctl("--json", "bridges", url=server.url), OK, out='{"bridges":[')

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder, Server(BRIDGES, unix=os.path.join(folder, "admin.sock")) as server:
            self.expect(ctl("bridges", url=server.url), OK, out="jvb-2")
            self.assertEqual(server.last()["headers"]["host"], "localhost")

    def test_nobody_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
            outcome = ctl("bridges", url=url)
        self.expect(outcome, FAILED, err=f"no answer from {url}: Connection refused")
        self.assertIn("systemctl status bascule", outcome.err)
        self.expect(ctl("bridges", url="unix:/nowhere/admin.sock"), FAILED, err="No such file or directory")

    def test_urls_that_are_none(self):
        for url in ("ftp://x", "http://", "http://a b", "http://a:x", "unix:relative", "127.0.0.1:8888", "http://a/b"):
            self.expect(ctl("bridges", url=url), USAGE, err="is no URL like")

    def test_an_answer_that_is_not_ours(self):
        with Server({("GET", "/v1/bridges"): (200, "<html>")}) as server:
            self.expect(ctl("bridges", url=server.url), FAILED, err="does not answer like bascule")
        with Server({("GET", "/v1/bridges"): (200, {"bridges": [17, {"bridge": None, "expected": "much"}]})}) as server:
            self.assertEqual(ctl("bridges", url=server.url).status, OK)  # Another version: what can be shown is.

    def test_a_broken_server_is_told_by_its_status(self):
        with Server({("GET", "/v1/bridges"): (502, "bad gateway")}) as server:
            self.expect(ctl("bridges", url=server.url), FAILED, err="HTTP status 502")


class Tls(CtlTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        cls.certificate = make_certificates(cls.folder.name)
        cls.authority = os.path.join(cls.folder.name, "ca.pem")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_certificate_of_the_named_authority(self):
        with Server(BRIDGES, certificate=self.certificate) as server:
            self.expect(ctl("bridges", "--ca-file", self.authority, url=server.url), OK, out="jvb-2")

    def test_a_certificate_of_an_unknown_authority(self):
        with Server(BRIDGES, certificate=self.certificate) as server:
            outcome = ctl("bridges", url=server.url)
            self.expect(outcome, FAILED, err="its certificate is not trusted")
            self.assertIn("--ca-file names the authority", outcome.err)
            self.assertEqual(server.requests, [])

    def test_a_certificate_of_another_host(self):
        with Server(BRIDGES, certificate=self.certificate) as server:
            url = f"https://localhost:{server.port}"
            outcome = ctl("bridges", "--ca-file", self.authority, url=url)
            self.expect(outcome, FAILED, err="its certificate is not trusted")
            self.assertEqual(server.requests, [])

    def test_no_authority_in_the_file(self):
        with Server(BRIDGES, certificate=self.certificate) as server:
            self.expect(ctl("bridges", "--ca-file", "/nowhere.pem", url=server.url), FAILED, err="--ca-file /nowhere.pem")


class Tokens(CtlTest):
    def test_from_a_file(self):
        with Server(BRIDGES) as server, tempfile.NamedTemporaryFile("w") as file:
            file.write("secret-of-ann\n")
            file.flush()
            self.expect(ctl("bridges", "--token-file", file.name, url=server.url, BASCULE_TOKEN="other"), OK)
            self.assertEqual(server.last()["headers"]["authorization"], "Bearer secret-of-ann")

    def test_from_the_environment(self):
        with Server(BRIDGES) as server:
            self.expect(ctl("bridges", url=server.url, BASCULE_TOKEN="secret"), OK)
            self.assertEqual(server.last()["headers"]["authorization"], "Bearer secret")
            self.expect(ctl("bridges", url=server.url), OK)
            self.assertNotIn("authorization", server.last()["headers"])

    def test_files_that_hold_none(self):
        with Server(BRIDGES) as server, tempfile.NamedTemporaryFile("w") as file:
            self.expect(ctl("bridges", "--token-file", file.name, url=server.url), USAGE, err="holds no token")
            self.expect(ctl("bridges", "--token-file", "/nowhere", url=server.url), USAGE, err="cannot be read")
            file.write("two words\n")
            file.flush()
            self.expect(ctl("bridges", "--token-file", file.name, url=server.url), USAGE, err="its first line is the token")
            self.assertEqual(server.requests, [])

    def test_is_not_sent_in_the_clear(self):
        outcome = ctl("bridges", url="http://192.0.2.1:8888", BASCULE_TOKEN="secret")
        self.expect(outcome, USAGE, err="use https://")
        self.assertNotIn("secret", outcome.err)

    def test_no_wrong_or_lesser_token_is_told_with_the_role(self):
        answers = {("GET", "/v1/bridges"): problem(401, "a token is needed"),
                   ("PUT", "/v1/bridges/jvb-1/drain"): problem(403, "the token ann may read"),
                   ("PUT", "/v1/log-level"): problem(403, "the token ann may read")}
        with Server(answers) as server:
            self.expect(ctl("bridges", url=server.url), NOT_PERMITTED, err="wants a token of the role read: --token-file")
            wrong = ctl("bridges", url=server.url, BASCULE_TOKEN="x")
            self.expect(wrong, NOT_PERMITTED, err="does not know this token")
            self.expect(ctl("drain", "jvb-1", url=server.url, BASCULE_TOKEN="x"), NOT_PERMITTED,
                        err="the token ann may read; this needs the role operate")
            self.expect(ctl("log-level", "debug", url=server.url, BASCULE_TOKEN="x"), NOT_PERMITTED, err="the role admin")


class Usage(CtlTest):
    def test_wrong_commands(self):
        for wrong in ((), ("nonsense",), ("bridge",), ("log-level", "loud"), ("drain", "b", "--timeout", "3"),
                      ("move", "r", "e", "--from", "b"), ("bridges", "extra"), ("status", "--twice")):
            self.assertEqual(ctl(*wrong, url="http://127.0.0.1:1").status, USAGE, wrong)

    def test_help_and_version(self):
        self.expect(ctl("--help"), OK, out="Exit status:")
        self.expect(ctl("--version"), OK, out="basculectl ")
        self.expect(ctl("drain", "--help"), OK, out="--reason")
        self.assertNotEqual(ctl("--help").out.find("not ready"), -1)
        self.assertEqual(DAMAGED, 1)


if __name__ == "__main__":
    unittest.main()
