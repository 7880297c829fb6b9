"""The collector: packets in, records out to sinks, for months."""
