"""What a bank asks of its branches: the scheduler's side of the contract."""
