"""What a branch is asked to do: journal, orders, lanes and the agent that joins them."""
