"""The journal: what all rooms say is stored there first, and in their files behind it."""
