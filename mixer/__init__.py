"""Pure maths on raw media: numpy and OpenCV; no threads, no clock reads, no I/O, deterministic."""
