import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

from program import OK, PROGRAM, CtlTest, ctl, environment
from server import Server, recorded

NAMES = {("GET", "/v1/bridges"): (200, recorded("bridges")), ("GET", "/v1/conferences"): (200, recorded("conferences"))}


def words(*typed, **env):
    done = subprocess.run([PROGRAM, "__complete", *typed], env=environment(**env), capture_output=True, text=True,
                          timeout=60, check=True)
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


class Words(CtlTest):
    """What the program offers; the scripts only carry it."""

    def test_commands_and_what_is_below_them(self):
        self.assertIn("evacuate", words("e"))
        self.assertEqual(words("undr"), ["undrain"])
        self.assertEqual(words("config", ""), ["check", "show"])
        self.assertEqual(words("stats", "re"), ["restore", "rebuild"])
        self.assertEqual(words("nothing-like-this"), [])

    def test_every_command_of_the_help_is_offered(self):
        listed = [line.split()[0] for line in ctl("--help").out.split("Subcommands:")[1].split("\n\n")[0].splitlines()
                  if line[:2] == "  " and line[2] != " "]
        self.assertGreater(len(listed), 15)
        self.assertEqual(words(""), listed)

    def test_options_of_the_command_and_of_all(self):
        self.assertEqual(words("drain", "--re"), ["--reason"])
        self.assertIn("--token-file", words("drain", "--"))
        self.assertEqual(words("bridges", "--wait"), [])

    def test_values(self):
        self.assertEqual(words("log-level", ""), ["debug", "info", "warn", "error"])
        self.assertEqual(words("completion", "z"), ["zsh"])
        self.assertEqual(words("--token-file", ""), [":files"])
        self.assertEqual(words("--ca-file=/etc"), [":files"])
        self.assertEqual(words("config", "check", ""), [":files"])
        self.assertEqual(words("drain", "jvb-1", "--reason", ""), [])

    def test_names_are_asked_of_the_daemon(self):
        with Server(NAMES) as server:
            self.assertEqual(words("--url", server.url, "drain", "jvb-"), [f"jvb-{i}" for i in range(1, 6)])
            self.assertEqual(words("drain", "--url=" + server.url, "jvb-2"), ["jvb-2"])
            self.assertEqual(words("why", "sta", BASCULE_URL=server.url), ["standup@conference.meet.example"])
            self.assertEqual(server.last()["query"]["search"], "sta")
            self.assertEqual(words("move", "x@y", "--to=jvb-5", BASCULE_URL=server.url), ["--to=jvb-5"])
            self.assertEqual(words("drain", "jvb-1", "", BASCULE_URL=server.url), [])  # There is no second one.

    def test_no_daemon_is_no_error(self):
        self.assertEqual(words("--url", "http://127.0.0.1:1", "drain", ""), [])


class Shells(CtlTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        cls.scripts = {}
        for shell in ("bash", "zsh", "fish"):
            outcome = ctl("completion", shell)
            assert outcome.status == OK, outcome.err
            cls.scripts[shell] = pathlib.Path(cls.folder.name, shell)
            cls.scripts[shell].write_text(outcome.out, encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_shell(self, shell, script, **env):
        path = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
        command = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}[shell]
        done = subprocess.run([*command, "-c", script], env=environment(PATH=path, HOME=self.folder.name, **env),
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout.split("\n")[:-1]

    def bash(self, line, last, **env):
        """`last`: the word that bash would replace."""
        return self.run_shell("bash", f"source {self.scripts['bash']}; COMP_LINE={shlex.quote(line)}; "
                                      f"COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=(basculectl {shlex.quote(last)}); "
                                      "COMP_CWORD=1; _basculectl; printf '%s\\n' \"${COMPREPLY[@]}\"; "
                                      "complete -p basculectl >/dev/null", **env)

    def test_syntax(self):
        for shell, script in self.scripts.items():
            if shutil.which(shell):
                done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)

    def test_bash(self):
        self.assertEqual(self.bash("basculectl undr", "undr"), ["undrain"])
        self.assertEqual(self.bash("basculectl config ", ""), ["check", "show"])
        with Server(NAMES) as server:
            self.assertEqual(self.bash("basculectl drain jvb-4", "jvb-4", BASCULE_URL=server.url), ["jvb-4"])
            # bash takes what stands behind the '@' for the word.
            self.assertEqual(self.bash("basculectl why standup@con", "con", BASCULE_URL=server.url),
                             ["conference.meet.example"])
        pathlib.Path(self.folder.name, "with blank.toml").write_text("", encoding="ascii")
        self.assertEqual(self.bash(f"basculectl config check {self.folder.name}/with", ""),
                         [f"{self.folder.name}/with blank.toml"])

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish(self):
        def fish(line, **env):
            found = self.run_shell("fish", f"source {self.scripts['fish']}; complete -C{shlex.quote(line)}", **env)
            return [each.split("\t")[0] for each in found]
        self.assertEqual(fish("basculectl undr"), ["undrain"])
        self.assertEqual(fish("basculectl config "), ["check", "show"])
        with Server(NAMES) as server:
            self.assertEqual(fish("basculectl why sta", BASCULE_URL=server.url), ["standup@conference.meet.example"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh(self):
        def zsh(*typed, **env):
            line = " ".join(shlex.quote(word) for word in ("basculectl", *typed))
            return self.run_shell("zsh", "compdef() { }; _describe() { print -l -- \"${(@P)2}\" }; _files() { print files }; "
                                         f"source {self.scripts['zsh']}; words=({line}); CURRENT=$#words; "
                                         "PREFIX=${words[-1]}; _basculectl", **env)
        self.assertEqual([each.split(":")[0] for each in zsh("undr")], ["undrain"])
        self.assertEqual([each.split(":")[0] for each in zsh("config", "")], ["check", "show"])
        self.assertEqual(zsh("--ca-file", ""), ["files"])
        with Server(NAMES) as server:
            self.assertEqual(zsh("drain", "jvb-5", BASCULE_URL=server.url), ["jvb-5:190 people"])


if __name__ == "__main__":
    unittest.main()
