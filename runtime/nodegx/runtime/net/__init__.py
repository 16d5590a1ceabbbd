"""An HTTP/1.1 client on the standard library: blocking sockets in threads, kept-alive connections,
and no way to addresses that a workflow must not reach."""
