"""The documented import paths of xrootdlib 0.3.0, served by gridtap."""
