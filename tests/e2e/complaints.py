"""What the library and the browser print as warnings and errors, and which of it says nothing about the focus."""

import re

# Every entry is explained in README.md.
EXPECTED = [re.compile(pattern) for pattern in (
    r"Analytics disabled, disposing",
    r"Disposing of analytics adapter",
    r"Stream resume enabled, but (XEP-0198 is not supported|WebSockets are not enabled)",
    r"getting turn credentials",
    r"is mod_turncredentials or similar installed",
    r"No meeting ID from backend",
    r"The description does not look like plan-b",
    r"WebSocket connection to 'wss://media\.example\.net/",
    r"BridgeChannel\.js",
    r"AvgRTPStatsReporter\.js",
    r"_remoteTrackRemoved>:  .*Removed track not found",
    r"Skipping SSRC update in 'ended ' state",
    r"onJingle>:  invalid session id",
    r"Error getting room info",
)]


def unexpected(complaints):
    return [text for text in complaints if not any(pattern.search(text) for pattern in EXPECTED)]
