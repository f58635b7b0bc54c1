"""Rooms and participants: the registry, tokens, roles, the room document."""
