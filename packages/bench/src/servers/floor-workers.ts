/** `node floor-workers.js COUNT`: so many processes of the floor on one port, which node:cluster gives connections to in turn. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const count = Number(process.argv[2]);
cluster.setupPrimary({ exec: fileURLToPath(new URL('floor.js', import.meta.url)), args: [], silent: true });
const listening = Array.from({ length: count }, () => once(cluster.fork(), 'listening'));
const [first] = await Promise.all(listening);
const [{ port }] = first as [AddressInfo];
console.log(`listening smtp 127.0.0.1:${port}`);
