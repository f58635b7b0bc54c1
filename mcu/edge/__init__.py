"""The peers' transports: ICE, DTLS, SRTP, RTP in and out, RTCP. One event loop, no threads, never decodes."""
