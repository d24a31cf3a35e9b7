module github.com/weft-run/weft/test/components/conformance-go

go 1.26
