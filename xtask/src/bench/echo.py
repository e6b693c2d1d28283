"""Judges who speaks in a room with an echo by PESQ (ITU-T P.862.2, wide band), in pieces of eight seconds.

Arguments: the folder with the WAV files, and the file to write. Standard input: a line of JSON for each scene.
"""

import json
import statistics
import sys
import wave

import numpy
from pesq import pesq

RATE = 16_000
LENGTH = 8 * RATE
# What is heard comes later than what was said.
SLACK = RATE // 10


def samples(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype=numpy.int16)


def score(said, heard):
    starts = range(0, len(said) - LENGTH - SLACK + 1, LENGTH)
    return statistics.mean(
        pesq(RATE, said[start : start + LENGTH], heard[start : start + LENGTH + SLACK], "wb")
        for start in starts
    )


folder, target = sys.argv[1:]
rows = []
for line in sys.stdin:
    row = json.loads(line)
    said, alone, both = (
        samples(f"{folder}/{row['index']}-{what}.wav") for what in ["said", "alone", "both"]
    )
    row["alone"], row["both"] = round(score(said, alone), 2), round(score(said, both), 2)
    rows.append(row)
    print(
        f"{row['name']:<30} echo {row['afterTwo']:5.1f} dB less from 2 s on, {row['afterFive']:5.1f} from 5 s on "
        f"(worst second {row['worstSecond']:5.1f}); voice {row['overEcho']:5.1f} dB over the echo: "
        f"PESQ {row['alone']:.2f} alone, {row['both']:.2f} in double talk; {row['micros']:.0f} µs",
        flush=True,
    )
with open(target, "w") as file:
    json.dump({"scenes": rows}, file, indent=2)
