module github.com/weft-run/weft/test/components/cursors-go

go 1.26
