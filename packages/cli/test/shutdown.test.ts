/**
 * A program that does nothing but shut a server down; on the built packages, since only the end of a process shows whether
 * it was kept running.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = `
  import { connect } from 'node:net';
  import { startMailServer } from '@sansmtp/transport-node';

  let reached;
  const unread = new Promise((resolve) => { reached = resolve; });
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    // It reads nothing, so the socket is paused; and a paused socket keeps no process running.
    handlers: { onMessage: () => { setTimeout(reached, 100); return new Promise(() => {}); } },
  });
  const client = connect(server.addresses[0].port, '127.0.0.1').unref();
  client.on('error', () => {});
  const message = ('x'.repeat(70) + '\\r\\n').repeat(20000);
  client.write('EHLO c.example\\r\\nMAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@d.example>\\r\\n');
  setTimeout(() => client.write('DATA\\r\\n' + message), 100);
  await unread;
  client.destroy();
  await server.shutdown(300);
  console.log('closed');
`;

it('shutdown() keeps the process running until it is done', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('..', import.meta.url),
    timeout: 60_000,
  });
  expect(stdout).toBe('closed\n');
});
