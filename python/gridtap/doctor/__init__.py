"""What is wrong with the monitoring of XRootD servers, and the configuration that mends it.

::

    from gridtap.doctor import examine, observe_capture

    for finding in examine(observe_capture("night.pcap")):
        print(finding.severity, finding.id, finding.text)
"""

from __future__ import annotations

from gridtap.doctor.directive import corrected_lines
from gridtap.doctor.examination import examine
from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Finding
from gridtap.doctor.listen import observe_live
from gridtap.doctor.observe import Observer, observe_capture
from gridtap.udp import ListenError

__all__ = [
    "Finding",
    "ListenError",
    "Observation",
    "Observer",
    "ServerFacts",
    "corrected_lines",
    "examine",
    "observe_capture",
    "observe_live",
]
