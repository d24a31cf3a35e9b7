// Package httpclient answers weft:http/client: HTTP requests of functions to hosts that the server's configuration allows. Its
// WIT is wit/host/weft-http/client.wit.
//
// What a request can reach is decided by the list of hosts alone (outgoing.Allow), for the URL of the request and again for
// that of each redirect. Hosts are compared as they are written. The connection is made to an address that the name has at
// that moment, by one lookup; neither proxies of the environment nor cookies nor alternative services are heeded, so that
// nothing else decides where bytes go. Plain HTTP is allowed for entries that say http:// only.
//
// A function can't set what frames a message or names its host, so that it can't make two parties read one message
// differently. Connections are kept and shared by all functions of the node: what is in one request is never in another.
//
// A request waits without a slot of the executor, for as long as the call has that it belongs to. Nothing is tried again
// but what net/http does: a request without effects on a kept connection that the server had closed.
package httpclient
