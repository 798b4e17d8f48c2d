"""The contract's messages: what travels between a branch and any scheduler; not how, nor what it makes a branch do."""
