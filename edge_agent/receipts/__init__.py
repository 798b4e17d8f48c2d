"""The templates of receipts that ship."""
