"""The documented import paths of esmond_client 2.0 and 4.2.1, served by gridtap."""
