"""Raw media <-> encoded frames <-> RTP payloads: PyAV and libopus; synchronous; no asyncio, no sockets."""
