deep = "deep"
