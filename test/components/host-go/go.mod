module github.com/weft-run/weft/test/components/host-go

go 1.26
