"""Judges sound by PESQ (ITU-T P.862.2, wide band), sentence by sentence.

Arguments: the folder with the WAV files, and the file to write. Standard input: a line of JSON for each file.
"""

import json
import statistics
import sys
import wave

import numpy
from pesq import pesq

RATE = 16_000
SECONDS = 8
SLACK = 0.3  # What is heard comes later than what was said.


def samples(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype=numpy.int16)


def score(reference, heard):
    length, slack = SECONDS * RATE, int(SLACK * RATE)
    starts = range(0, len(reference) - length - slack, length)
    return [
        pesq(RATE, reference[start : start + length], heard[start : start + length + slack], "wb")
        for start in starts
    ]


folder, target = sys.argv[1:]
reference = samples(f"{folder}/reference.wav")
rows = []
for line in sys.stdin:
    row = json.loads(line)
    scores = score(reference, samples(f"{folder}/{row.pop('file')}"))
    row["pesq"] = round(statistics.mean(scores), 2)
    row["worst"] = round(min(scores), 2)
    rows.append(row)
    print(
        f"{row['protection']:<8} {row['nominal'] / 1000:3.0f} kbit/s {row['lossPercent']:3} % lost: "
        f"PESQ {row['pesq']:.2f} (worst {row['worst']:.2f}), {row['delayP50Ms']:5.1f} / {row['delayP95Ms']:5.1f} ms, "
        f"{100 * row['concealedShare']:.1f} % made up",
        flush=True,
    )
with open(target, "w") as file:
    json.dump({"rows": rows}, file, indent=2)
