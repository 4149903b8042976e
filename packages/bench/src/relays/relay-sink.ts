/** Where relays deliver to: canned replies over a bare `node:net` socket, and a count of the messages. */
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface RelaySink {
  readonly port: number;
  /** Resolves when so many messages have come since it was called, with the moment of the last one. */
  receive(messages: number): Promise<number>;
}

const OK = Buffer.from('250 2.0.0 OK\r\n');
const END = '\r\n.\r\n';

export async function startRelaySink(): Promise<RelaySink> {
  let left = 0;
  let done: (moment: number) => void = () => {};
  const server = createServer({ noDelay: true }, (socket) => {
    let receiving = false;
    let tail = '';
    socket.on('error', () => socket.destroy());
    socket.write('220 sink.example ESMTP\r\n');
    socket.on('data', (chunk) => {
      if (receiving) {
        const across = tail + chunk.toString('latin1', 0, END.length);
        tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - END.length))).slice(
          1 - END.length,
        );
        if (!chunk.includes(END) && !across.includes(END)) return;
        receiving = false;
        socket.write(OK);
        left -= 1;
        if (left === 0) done(performance.now());
      } else if (chunk[0] === 0x44) {
        receiving = true; // DATA
        tail = '';
        socket.write('354 Go ahead\r\n');
      } else if (chunk[0] === 0x51) {
        socket.end('221 2.0.0 Bye\r\n'); // QUIT
      } else {
        socket.write(OK);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    receive(messages) {
      left = messages;
      return new Promise((resolve) => {
        done = resolve;
      });
    },
  };
}
