"""A document printer that speaks IPP, on the far side of the wire (RFC 8010, RFC 8011)."""
