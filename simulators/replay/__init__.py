"""The device's side of a recording, played again."""
