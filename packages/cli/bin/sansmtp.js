#!/usr/bin/env node
// Threads that wait for the disk and for DNS. With libuv's four, as many silent name servers would hold up every sync of the queue.
// It is read when the first one is wanted: that is before an ES module is read, and so this is none.
process.env.UV_THREADPOOL_SIZE ??= '16';
import('../dist/main.js');
