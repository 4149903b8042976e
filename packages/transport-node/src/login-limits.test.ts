/** Failed logins have one limit for the whole server, whatever handlers its addresses have. */
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from './listening.test-support.js';
import { startMailServer } from './mail-server.js';

it('whoever has guessed ten times at one address has no more guesses at another', async () => {
  const place = () => ({
    port: 0,
    proxied: { isTrusted: () => true },
    handlers: { onAuth: () => false, onMessage() {} },
  });
  const server = await startMailServer({
    addresses: [place(), place()],
    session: { authentication: { mechanisms: ['PLAIN'], allowInsecure: true, maximumFailures: 20 } },
  });
  onTestFinished(() => server.shutdown(0));
  const guess = `AUTH PLAIN ${Buffer.from('\0ann\0guess').toString('base64')}\r\n`;

  async function replies(index: number, guesses: number): Promise<string[]> {
    const address = server.addresses[index];
    const port = address?.kind === 'tcp' ? address.port : 0;
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port });
    onTestFinished(() => void socket.destroy());
    socket.on('data', (bytes) => {
      heard += bytes;
    });
    socket.write(`PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO c\r\n${guess.repeat(guesses)}QUIT\r\n`);
    await eventually(() => expect(heard).toMatch(/^221 /m));
    return heard.match(/^(?:535|454)/gm) ?? [];
  }

  expect(await replies(0, 10)).toEqual(Array(10).fill('535'));
  expect(await replies(1, 1)).toEqual(['454']);
});
