"""Window and hall screens on the far side of the wire: what is lit is kept as text and as a picture."""
