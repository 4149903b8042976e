/**
 * `node flood.js PORT CLIENTS`: clients that pipeline NOOP and read the replies, until it is killed. Tells its parent once
 * they all are under way.
 */
import { connect } from 'node:net';

const [port, clients] = process.argv.slice(2).map(Number);
const commands = Buffer.from('NOOP\r\n'.repeat(10_000));
let underWay = 0;

function begin(): void {
  const socket = connect({ host: '127.0.0.1', port: port ?? 0 });
  const write = () => {
    while (socket.writable && socket.write(commands));
  };
  socket.on('error', () => socket.destroy());
  socket.once('connect', () => {
    underWay += 1;
    if (underWay === clients) process.send?.('under way');
    write();
  });
  socket.on('drain', write).resume();
  // Who is shown the door comes again.
  socket.on('close', () => setTimeout(begin, 1));
}

for (let client = 0; client < (clients ?? 0); client += 1) begin();
