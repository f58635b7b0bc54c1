"""A room's engine: decode, compose, mix, encode, on threads; speaks to edges through the link only."""
