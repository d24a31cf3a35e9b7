module github.com/weft-run/weft/test/components/cursors-user-go

go 1.26
