"""Receipt and ticket printers that speak ESC/POS: what they are told, what they answer, what a printed sheet proves."""
