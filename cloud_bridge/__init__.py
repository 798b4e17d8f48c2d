"""The other side of the link: the branch contract, its topics, and MQTT; knows nothing of devices, orders' inner life or the journal."""
