"""What a person at a terminal asks of a branch, speaking as a scheduler over MQTT."""
