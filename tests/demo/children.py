"""Processes of this run and of no other: started here, measured here, ended here."""

import ctypes
import os
import signal
import subprocess

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    """In the child: even when the runner is killed with SIGKILL nothing stays behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command, environment=None, **streams):
    """Starts a child that does not get the terminal's Ctrl-C: the runner decides when it ends. `environment` is added to
    ours."""
    return subprocess.Popen([str(word) for word in command], start_new_session=True, preexec_fn=_die_with_parent,
                            env={**os.environ, **{name: str(value) for name, value in (environment or {}).items()}},
                            **streams)


def end(process, patience_s=5, number=signal.SIGTERM):
    """A signal, and SIGKILL when that does not help. Returns the exit code, or None if never started."""
    if process is None:
        return None
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def cpu_seconds(pid):
    """User and system time of a process so far; 0.0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    except (OSError, IndexError, ValueError):
        return 0.0


def rss_megabytes(pid):
    """Resident memory of a process; 0.0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * PAGE_BYTES / 1e6
    except (OSError, IndexError, ValueError):
        return 0.0
