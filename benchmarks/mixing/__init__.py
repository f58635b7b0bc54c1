"""What mixing costs: a room of real senders and receivers, its bare codec work, and others who do the same."""
