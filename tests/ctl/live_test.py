import signal
import threading
import unittest

from program import DAMAGED, OK, CtlTest, Terminal, ctl, without_colours
from server import Server, recorded

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


def night(name="bad_night", **changes):
    return {("GET", "/v1/overview"): (200, dict(recorded(name), **changes))}


class Live(CtlTest):
    def leave(self, terminal, keys="q", status=OK):
        if keys:
            terminal.type(keys)
        self.assertEqual(terminal.end(), status)
        self.assertIn(LEAVE, terminal.output)
        self.assertIn("\x1b[?25h", terminal.output)  # The cursor is back.
        self.assertTrue(terminal.is_as_before())

    def test_shows_a_bridge_and_leaves_with_q(self):
        with Server(night()) as server, Terminal("status", "--url", server.url) as terminal:
            self.assertIn(ENTER, terminal.until("jvb-4"))
            terminal.until("q: leave")
            self.assertFalse(terminal.is_as_before())
            self.leave(terminal)

    def test_what_is_wrong_stands_first_and_in_red(self):
        with Server(night()) as server, Terminal("status", "--url", server.url) as terminal:
            terminal.until("\x1b[1;31mNOT READY")
            terminal.until("basculectl doctor")
            self.leave(terminal)

    def test_follows_what_happens(self):
        with Server(night()) as server, Terminal("status", "--url", server.url) as terminal:
            terminal.until("NOT READY")
            server.answers = night("good_night")
            terminal.until("ALL WELL")
            self.leave(terminal)

    def test_takes_another_size_of_the_window(self):
        with Server(night()) as server, Terminal("status", "--url", server.url, rows=40, columns=130) as terminal:
            terminal.until("evacuating: 14 people left, 3 moving, 2 STUCK")
            terminal.until("q: leave")
            terminal.resize(12, 60)
            terminal.until("\x1b[H")
            screen = terminal.until("\x1b[J")
            self.assertLess(screen.count("\n"), 12)
            self.leave(terminal)

    def test_leaves_with_control_c_and_with_signals(self):
        for how in ("\x03", "\x04", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with Server(night()) as server, Terminal("status", "--url", server.url) as terminal:
                terminal.until("jvb-4")
                if isinstance(how, str):
                    self.leave(terminal, how)
                else:
                    terminal.process.send_signal(how)
                    self.leave(terminal, "")

    def test_goes_on_showing_when_the_daemon_is_gone(self):
        with Terminal("status", "--url", "http://127.0.0.1:1") as terminal:
            terminal.until("NO ANSWER")
            terminal.until("Connection refused")
            self.leave(terminal)
        with Server(night()) as server, Terminal("status", "--url", server.url) as terminal:
            terminal.until("jvb-4")
            server.answers = {}
            terminal.until("NO ANSWER for")
            terminal.until("jvb-4")
            self.leave(terminal)

    def test_leaves_although_the_daemon_hangs(self):
        hold = threading.Event()

        def hang():
            hold.wait()
            return 200, {}
        with Server({("GET", "/v1/overview"): hang}) as server:
            with Terminal("status", "--url", server.url) as terminal:
                terminal.until("asking")
                self.leave(terminal)
            hold.set()

    def test_a_terminal_that_knows_nothing_gets_it_once(self):
        with Server(night()) as server, Terminal("status", "--url", server.url, TERM="dumb") as terminal:
            self.assertEqual(terminal.end(), DAMAGED)
            self.assertNotIn("\x1b", terminal.output)


class Looks(CtlTest):
    def once(self, *arguments, **env):
        with Server(night()) as server, Terminal("status", "--once", "--url", server.url, *arguments, **env) as terminal:
            self.assertEqual(terminal.end(), DAMAGED)
            return terminal.output.replace("\r\n", "\n")

    def test_colours_on_a_terminal_unless_told_otherwise(self):
        self.assertIn("\x1b[1;31mNOT READY", self.once())
        self.assertNotIn("\x1b", self.once(NO_COLOR="1"))
        self.assertIn("\x1b", self.once(NO_COLOR=""))

    def test_letters_by_locale(self):
        unicode = self.once(LC_ALL="C.UTF-8", NO_COLOR="1")
        self.assertIn("█", unicode)
        self.assertIn("┃", unicode)
        self.assertTrue(self.once(NO_COLOR="1").isascii())

    def test_lines_keep_to_the_width(self):
        for columns in (80, 100, 200):
            for line in self.once(columns=columns).splitlines():
                self.assertLessEqual(len(without_colours(line)), columns, line)

    def test_a_bar_while_a_bridge_is_emptied(self):
        path = "/v1/bridges/jvb-3/drain"
        left = [12, 5, 0]

        def step():
            people = left.pop(0) if len(left) > 1 else left[0]
            return 200, dict(recorded("drain"), participants=people, moving=0, stuck=0, done=people == 0)
        with Server({("PUT", path): (200, dict(recorded("drain"), stuck=0)), ("GET", path): step}) as server:
            with Terminal("evacuate", "jvb-3", "--wait", "--url", server.url) as terminal:
                terminal.until("\r####")
                terminal.until("14 of 14 gone, empty")
                self.assertEqual(terminal.end(), OK)

    def test_no_colours_in_a_pipe(self):
        with Server(night()) as server:
            self.assertNotIn("\x1b", ctl("status", url=server.url).out)


if __name__ == "__main__":
    unittest.main()
