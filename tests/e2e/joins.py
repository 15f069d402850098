"""How long a browser takes from a loaded page to an active session."""

import statistics

# Moments of a join in milliseconds since the page was ready (devices open, library loaded).
MOMENTS = {
    "connected": "connected",
    "request answered": "result of conference",
    "in the room": "joined",
    "offer received": "received session-initiate",
    "accept sent": "sent session-accept",
    "active": "result of session-accept",
}
DEADLINE_S = 30


def measure(stage, count, transport):
    """One after the other into a room with somebody in it; prints and returns the figures in milliseconds."""
    resident = stage.page("resident", room="joins", transport=transport).opened()
    resident.until("client.joined", DEADLINE_S)
    samples = {name: [] for name in MOMENTS}
    for number in range(1, count + 1):
        page = stage.page(f"join {number}", room="joins", transport=transport).opened()
        page.until("client.active", DEADLINE_S)
        times = page.value(f"{list(MOMENTS.values())}.map(what => client.notes.find(note => note.what === what).at"
                           " - client.readyAt)")
        for name, time in zip(MOMENTS, times):
            samples[name].append(time)
        page.value("client.leave()")
        page.close()
        resident.until("client.people.size === 0", DEADLINE_S)
    figures = {name: summary(values) for name, values in samples.items()}
    print(f"{count} joins by {transport}, ms since the page was ready")
    print(f"  {'':18s}{'min':>6s}{'p50':>6s}{'p90':>6s}{'max':>6s}")
    for name, one in figures.items():
        print(f"  {name:18s}" + "".join(f"{one[key]:6.0f}" for key in ("min", "p50", "p90", "max")))
    print("  active, sorted: " + " ".join(f"{value:.0f}" for value in sorted(samples["active"])))
    return figures


def summary(values):
    ordered = sorted(values)
    return {"min": round(ordered[0], 1), "p50": round(statistics.median(ordered), 1),
            "p90": round(ordered[max(0, -(-9 * len(ordered) // 10) - 1)], 1), "max": round(ordered[-1], 1)}
