"""One relay of a Waveshare board, closed for a time that the board itself keeps."""
