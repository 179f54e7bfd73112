NAME = "spaced"
