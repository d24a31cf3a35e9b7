//go:build weft_next

package catalog

// Level of a build that stands in for the next weft, for tests of rolling upgrades: it knows level 6, which adds no
// commands and no rows, so that only the level itself tells the two builds apart.
const Level = 6
