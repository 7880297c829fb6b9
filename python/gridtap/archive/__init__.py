"""An esmond archive in one process and one SQLite file.

It speaks the REST contract of perfSONAR's esmond 4.4 (https://github.com/esnet/esmond,
``esmond/api/api_v2.py`` and https://docs.perfsonar.net/esmond_api_rest.html); where it deviates on
purpose, ``docs/archive-differences.md`` says so.
"""
