import re
import shutil
import subprocess
import unittest

from program import BUILD, ROOT, CtlTest, ctl

PAGES = [BUILD / "manual" / name for name in ("basculectl.1", "bascule.8", "bascule.toml.5")]


def shown(page):
    done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    return re.sub(".\b", "", done.stdout), done.stderr


class Manual(CtlTest):
    def test_man_has_nothing_to_say_against_them(self):
        for page in PAGES:
            text, warnings = shown(page)
            self.assertEqual(warnings, "", page.name)
            self.assertGreater(len(text.splitlines()), 30, page.name)

    def test_mandoc_has_nothing_to_say_against_them(self):
        self.assertIsNotNone(shutil.which("mandoc"), "scripts/install_deps.sh installs it")
        for page in PAGES:
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", str(page)], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stdout, "", page.name)

    def test_every_command_and_option_is_there(self):
        text, _ = shown(PAGES[0])
        listed = re.findall(r"^  ([a-z-]+) {2,}", ctl("--help").out.split("Subcommands:")[1], re.M)
        self.assertGreater(len(listed), 15)
        for command in listed:
            self.assertRegex(text, rf"(?m)^ +{command}\b")
            for option in re.findall(r"^  (?:-\w,)?(--[a-z-]+)", ctl(command, "--help").out, re.M):
                self.assertIn(option, text, command)

    def test_every_key_is_there(self):
        text, _ = shown(PAGES[2])
        words = " ".join(text.split())
        section = ""
        for line in (ROOT / "config/bascule.example.toml").read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                section = line
                self.assertIn(section, words)
            elif key := re.match(r"([a-z-]+) = ", line):
                self.assertIn(f"{key[1]} = ", words, section)


if __name__ == "__main__":
    unittest.main()
