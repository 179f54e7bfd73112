kind = "of the package"
