"""What the runs here share: steps that are told one by one, tools that may be missing, a folder for the logs."""

import contextlib
import pathlib
import shutil
import signal
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent


class StepFailed(Exception):
    """Which step, and why."""


class Steps:
    passed = 0

    @contextlib.contextmanager
    def step(self, name):
        """What is appended to the list it yields is told with the step."""
        began = time.monotonic()
        told = []
        try:
            yield told
        except Exception as error:
            print(f"failed {time.monotonic() - began:6.2f} s  {name}", flush=True)
            raise StepFailed(f"{name}: {error}") from error
        self.passed += 1
        print(f"ok     {time.monotonic() - began:6.2f} s  {name}{''.join(f'; {text}' for text in told)}", flush=True)


def missing_tools():
    """What `./scripts/dev e2e` would have installed; told when there is something."""
    tools = [name for name in ("node", "chromium", "prosody") if shutil.which(name) is None]
    modules = FOLDER / "node_modules" / "playwright-core"
    missing = tools + ([] if modules.exists() else [str(modules)])
    if missing:
        print(f"missing: {', '.join(missing)}; ./scripts/dev e2e installs what it needs", file=sys.stderr)
    return missing


def with_logs(prefix, work, keep=False):
    """Calls `work(folder)`; the folder stays when it fails. Returns the exit code of the program."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    logs = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    failure = None
    try:
        work(logs)
    except KeyboardInterrupt:
        failure = "interrupted"
    except Exception as error:  # Whatever it was: tell, exit non-zero.
        failure = str(error) or type(error).__name__
    if failure:
        print(f"FAILED: {failure}\nlogs: {logs}", file=sys.stderr)
        return 1
    if keep:
        print(f"logs: {logs}")
    else:
        shutil.rmtree(logs)
    return 0
