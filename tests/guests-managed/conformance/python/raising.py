raise RuntimeError("while loading")
