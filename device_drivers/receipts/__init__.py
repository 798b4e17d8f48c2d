"""What stands on a receipt: the template and the sheet that it becomes; knows neither printer nor order."""
