package main

import (
	"context"
	"errors"
	"fmt"
)

// variety measures a node that is given functions of which each has a component of its own, which is to be compiled and has code on
// disk that nobody shares.
func (d *density) variety(ctx context.Context, data string) (err error) {
	if d.o.own == 0 {
		return nil
	}
	own := &density{o: d.o, data: data, code: d.code, details: densityDetails{Components: d.o.own}}
	defer func() { err = errors.Join(err, own.stop()) }()
	for _, n := range varietySteps(d.o.own) {
		if err := own.grow(ctx, n); err != nil {
			return fmt.Errorf("%d functions: %w", n, err)
		}
	}
	d.details.Own = own.details.Points
	return nil
}

// varietySteps are a tenth of n, and n.
func varietySteps(n int) []int {
	if n < 10 {
		return []int{n}
	}
	return []int{n / 10, n}
}

// ownFigures are the lines of the table about it.
func (d *density) ownFigures() []figure {
	if len(d.details.Own) == 0 {
		return nil
	}
	first, last := d.details.Own[0], d.details.Own[len(d.details.Own)-1]
	added := float64(max(1, last.Functions-first.Functions))
	name := fmt.Sprintf("%s functions, each with a component of its own", number(float64(last.Functions)))
	each := func(of func(densityPoint) int64) float64 { return float64(of(last)-of(first)) / added / 1024 }
	return []figure{
		alone("density/own-resident", name+": resident memory of each while idle", inKiB,
			each(func(p densityPoint) int64 { return p.Resident }), atMost(20)).noted(
			"%s in all, %s with %s", sizeText(float64(last.Resident)), sizeText(float64(first.Resident)), number(float64(first.Functions))),
		alone("density/own-disk", name+": disk of each", inKiB, each(func(p densityPoint) int64 { return p.Disk }), nil),
		alone("density/own-deploys", name+": deploys", perSecond, last.Deploys, nil).noted(
			"%.1f ms of processor time each, and %.1f ms to compile", last.CPU, last.Compiling),
	}
}
