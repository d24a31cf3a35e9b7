module github.com/weft-run/weft/test/components/receipt/go

go 1.26
