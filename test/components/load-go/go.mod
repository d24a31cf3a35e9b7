module github.com/weft-run/weft/test/components/load-go

go 1.26
