// Package placement keeps on this node what the catalog places here.
//
// A [Table] follows the catalog, and looks at those functions that have changed since it looked last. It loads every revision that is placed on this node into the executor, a few at a time,
// and tries again with growing pauses when that fails; its component and, where a node with an equal engine has it, its
// compiled code come from other nodes if they are not here. What an earlier process has compiled is ready at once. The executor
// drops from memory what nobody calls, and asks [Table.Describe] to load it again. A revision that is placed here no longer is unloaded after a
// short while, in which callers that have not heard of it yet are still answered; that another node is ready by then is
// the scheduler's business. What was deleted is unloaded at once.
//
// [Table.Ensure] loads a revision on demand, ahead of all that wait: so a node that has just started answers its first call
// without loading everything else first, and a call may name a revision that is placed nowhere. Such a revision is unloaded
// some minutes after its last use.
//
// What is desired is the catalog's; what the table knows (loading, ready, failed) is soft state of this node and
// starts from nothing with each process. The catalog, artifacts and compiled code are on this node's disk, so what a
// restarted node had is ready without asking anybody.
package placement
