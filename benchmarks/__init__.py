"""What proves speed, and what makes the data it is proved with. Not part of the installation."""
