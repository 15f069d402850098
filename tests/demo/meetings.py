"""Who meets whom: sizes of conferences as a public service sees them, and what they load a bridge with."""

import random

# Share of the conferences, smallest, largest (uniform between them). Mean about 7.6.
SIZES = ((0.60, 2, 4), (0.30, 5, 15), (0.09, 16, 35), (0.01, 40, 60))


def load_units(people):
    """Load of a conference whose members all send, in participants of a conference of ten (load_model.h)."""
    return people * (0.4 + 0.06 * min(people, 20))


def room_sizes(participants, largest, seed):
    """Conferences with that many people in total, none larger than `largest`, none smaller than two."""
    source = random.Random(seed)
    sizes, left = [], participants
    while left > 0:
        share, size = source.random(), 0
        for weight, low, high in SIZES:
            size = source.randint(low, high)
            if share < weight:
                break
            share -= weight
        if size > largest:
            continue
        if left - size < 2:
            size = min(left, largest)
        sizes.append(size)
        left -= size
    if sizes[-1] == 1:  # Cut off by `largest`: nobody meets alone.
        sizes[-1] = 2
        sizes[sizes.index(max(sizes))] -= 1
    return sizes
