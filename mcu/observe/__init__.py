"""Events, metrics, logs."""
