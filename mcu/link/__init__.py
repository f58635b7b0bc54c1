"""What crosses between edge, server and mixer: encoded frames and small typed control messages."""
