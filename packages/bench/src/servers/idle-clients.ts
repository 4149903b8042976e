/**
 * `node idle-clients.js PORT COUNT`: so many connections that are greeted, say nothing, and stay until the process is killed.
 * Tells its parent once all are greeted.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);

/** Connections that are begun at a time: more than fit the backlog would wait for their second SYN. */
const AT_A_TIME = 100;

let begun = 0;
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    while (begun < count) {
      begun += 1;
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('error', (error) => {
        throw error;
      });
      await once(socket, 'data');
    }
  }),
);
process.send?.('greeted');
setInterval(() => {}, 60_000);
