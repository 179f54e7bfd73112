SOURCE = "own queue"
