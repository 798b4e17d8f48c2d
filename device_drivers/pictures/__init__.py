"""Dots as thermal printers make them: letters, bars, squares and seals; knows neither printer nor sheet."""
