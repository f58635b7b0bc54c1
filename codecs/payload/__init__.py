"""RTP payload formats: bytes in, bytes out (RFC 7741 VP8, RFC 6184 H.264, RFC 7587 Opus)."""
