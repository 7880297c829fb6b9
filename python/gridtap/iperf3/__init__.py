"""Results of iperf3, wrapped by bwctl or not, as measurements of a perfSONAR archive."""

from gridtap.iperf3.measurement import Measurement
from gridtap.iperf3.result import Ends, ResultError, measurements
from gridtap.iperf3.wrapping import Extract, UnusableInputError, extract

__all__ = [
    "Ends",
    "Extract",
    "Measurement",
    "ResultError",
    "UnusableInputError",
    "extract",
    "measurements",
]
