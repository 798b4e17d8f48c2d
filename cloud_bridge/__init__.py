"""The other side of the link: the branch contract, its topics, MQTT; knows nothing of devices or the journal."""
