// Package contract maps the types of a component to protobuf, and keeps the names and numbers that it gave.
//
// A contract is the schema of one proto package in one namespace: a file for each WIT interface, a service for each
// that has functions. [Build] extends the stored contracts by what a component exports and says what that changes for
// callers. [Bind] finds the numbers of a revision's types in the contracts as they are by now. [Files] and [Print]
// give the schema to reflection, to generators and to people. All are pure functions.
//
// # How a build goes
//
//	survey  walk the world: units (interfaces), named types, functions; refuse what has no place in protobuf, and
//	        what is too much                                                            plan.go, reach.go
//	assign  give every item its name in the package's scope, in the order of claims     claim.go
//	extend  add types and methods to the contracts, and note each change                extend.go, section.go, enum.go, field.go
//	settle  put the contracts in their stored form: order, imports, oneofs, comments     settle.go, docs.go
//	verify  closed over imports, no cycles, valid protobuf                               files.go
//	bind    find the numbers, as for a revision that is long deployed                    bind.go
//
// # What a contract remembers
//
// A claim says which name an item holds, for good, and the item's form: the WIT type of a field, the kind of a type,
// the newest version of an interface. Two types are the same to callers if their forms are, which descriptors alone
// can't tell: u8 and u32 are one protobuf type. What is taken out of a message goes to the retired fields with its
// number and form, so a revision from before finds it by name and form, and gets it back if it is deployed again.
// Messages and claims are never removed; methods are, while their messages stay.
//
// A component may leave out what the contract has if its interface has an older version than the newest that the
// contract was built from: that is how several functions export one interface while it grows. Without versions, or
// with the same, leaving out is a removal.
//
// # What breaks callers
//
// Removals, another type or name, and in what a request reaches: a field that must be present, and a new case, which
// functions that don't know it refuse. What requests reach is taken from the contracts as they were, since nobody
// calls yet what the build adds. A type without a name is part of the field that uses it: a tuple that grows is
// another type of that field.
//
// # Names that clash
//
// DESIGN says what becomes of names in a package's scope and of enum values. Beyond that, so that code generated for
// Java and Go compiles: a name that a generator derives (OrderOrBuilder, OrdersClient, the outer class) counts as
// taken, by names and by what is derived from them (NewOrdersClient, of Orders and NewOrders); a field that clashes
// within its message in protobuf, in JSON, as a Java accessor or with Go's ProtoReflect gets a number ("ab_2" beside
// "a_b"); and a file that the go command would build on one platform only gets a suffix.
package contract
