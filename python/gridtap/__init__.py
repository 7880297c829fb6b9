"""Decode, correlate and collect the monitoring of research-grid data transfers."""
