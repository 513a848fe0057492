"""Runs in the `quality` environment: PESQ (ITU-T P.862) of a recording against its reference, as JSON.

quality.py REFERENCE.wav DEGRADED.wav
"""

import json
import sys

import numpy as np
import soundfile
from pesq import pesq
from scipy.signal import correlate, resample_poly


def read(path):
    samples, rate = soundfile.read(path)
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    return samples if rate == 8000 else resample_poly(samples, 8000, rate)


def lag_of(reference, degraded):
    return int(np.argmax(np.abs(correlate(degraded, reference, mode="full", method="fft")))) - (len(reference) - 1)


reference, degraded = read(sys.argv[1]), read(sys.argv[2])
lag = lag_of(reference, degraded)
late, early = degraded[max(0, lag) :], reference[max(0, -lag) :]
length = min(len(late), len(early))
print(
    json.dumps(
        {
            "pesq": round(float(pesq(8000, early[:length], late[:length], "nb")), 3),
            "lag_ms": round(lag / 8, 1),
            "seconds": round(length / 8000, 2),
            "of_seconds": round(len(reference) / 8000, 2),
        }
    )
)
