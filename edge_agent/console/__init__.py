"""What a person asks of the agent on its own box: run it, check its configuration."""
