"""What the branch holds for others: documents to be printed, and what else is handed to a device's driver."""
