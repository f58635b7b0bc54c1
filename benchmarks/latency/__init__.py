"""How late pictures and sound are: from a sender's raw frame to a receiver's decoded one."""
