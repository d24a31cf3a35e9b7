// Package scheduler turns the catalog into placements: which executors run which revisions.
//
// [MakePlan] is a pure function from an [Input] to a [Plan]; [Planner] computes the same, faster from one input to the
// next. [Scheduler] runs on every scheduler and works while its node leads: it collects the input from the catalog and
// from the leader's directory, plans when either changes or a time is up, and proposes each plan as one command.
//
// DESIGN.md has the pipeline, the rules, and why not the obvious way.
package scheduler
