"""Rooms and their members: the tasks of a chat. Time comes from Trio's clock alone."""
