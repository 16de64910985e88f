"""What the data are like, and what is wrong with them."""
