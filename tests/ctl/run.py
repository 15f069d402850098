#!/usr/bin/env python3
"""basculectl as an operator meets it, in front of a daemon that answers what each test wants. README.md tells more."""

import sys

import commands_test
import completion_test
import live_test
import manual_test
import transport_test
from program import main

if __name__ == "__main__":
    sys.exit(main(transport_test, commands_test, live_test, completion_test, manual_test))
