"""The sub-commands of `branchgate`, one file a group; `cli.py` joins them."""
