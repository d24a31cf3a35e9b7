module weft.internal

go 1.26
