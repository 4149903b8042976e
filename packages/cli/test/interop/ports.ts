/** Ports and sockets for programs that cannot be asked which they took. */
import { connect, createServer } from 'node:net';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.on('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Whether somebody listens there already. */
export function accepts(target: { path: string } | { port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
