"""What sound costs: rooms of talkers and listeners in Mixdown and in Janus AudioBridge, with the same clients."""
