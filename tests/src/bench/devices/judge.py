"""Judges what was heard of speech by PESQ (ITU-T P.862.2, wide band), in pieces of eight seconds.

Arguments: the WAV file of what was said and that of what was heard, both mono, 16 bits, 48 kHz; what was heard may come up to
three seconds later. Prints a line of JSON: the mean and the worst score, and how much later each piece came, in milliseconds.
"""

import json
import statistics
import sys
import wave

import numpy
from pesq import pesq

RATE = 16_000
LENGTH = 8 * RATE
LATEST = 3 * RATE
# What is heard may be stretched while it is played.
SLACK = RATE // 10


def samples(path):
    with wave.open(path) as file:
        sound = numpy.frombuffer(file.readframes(file.getnframes()), dtype=numpy.int16)
    position = numpy.arange(-48, 49)
    low_pass = numpy.sinc(position / 3 * 0.95) * numpy.hamming(len(position))
    return numpy.convolve(sound, low_pass / low_pass.sum(), "same")[::3]


def later(said, heard):
    """By how many samples, at the highest correlation with the spectrum made flat, but for where there is hardly any."""
    size = 1 << (len(said) + len(heard)).bit_length()
    cross = numpy.fft.rfft(heard, size) * numpy.conj(numpy.fft.rfft(said, size))
    strength = numpy.abs(cross)
    flat = cross / (strength + 0.01 * strength.max() + 1e-9)
    return int(numpy.argmax(numpy.abs(numpy.fft.irfft(flat, size)[:LATEST])))


said, heard = (samples(path) for path in sys.argv[1:])
scores, delays = [], []
for start in range(0, min(len(said), len(heard) - LATEST) - LENGTH + 1, LENGTH):
    piece = said[start : start + LENGTH]
    delay = later(piece, heard[start : start + LENGTH + LATEST])
    first = start + max(delay - SLACK, 0)
    scores.append(pesq(RATE, piece, heard[first : first + LENGTH + 2 * SLACK], "wb"))
    delays.append(delay * 1000 / RATE)
print(json.dumps({"mean": statistics.mean(scores), "worst": min(scores), "delaysMs": delays}))
