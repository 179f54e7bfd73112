kind = "of the vendor"
