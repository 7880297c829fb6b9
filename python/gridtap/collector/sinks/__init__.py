"""Where records go: one file a sink, behind :py:class:`~.protocol.Sink`."""
