/** Failed logins have one limit for the whole server, whatever handlers its addresses have. */
import { connect } from 'node:net';
import { Secret } from '@sansmtp/core';
import { expect, it, onTestFinished } from 'vitest';
import { startMailServer } from './listening/mail-server.js';
import { eventually } from './listening.test-support.js';

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

/** Thirty clients of one address that have come to their guess, each at the same time. */
async function guessing(ready: (heard: string) => boolean, first: string, guess: (heard: string) => string) {
  let waiting: (() => void)[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0, proxied: { isTrusted: () => true } }],
    handlers: {
      // The last one to ask is right.
      onAuth: () =>
        new Promise<boolean>((resolve) => {
          waiting.push(() => resolve(waiting.length === 0));
          if (waiting.length < 30) return;
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
        }),
      onCredentials: () => ({ kind: 'password', password: new Secret('pencil') }),
      onMessage() {},
    },
    session: { authentication: { mechanisms: ['PLAIN', 'SCRAM-SHA-256'], allowInsecure: true } },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  const port = address?.kind === 'tcp' ? address.port : 0;
  const clients = Array.from({ length: 30 }, () => {
    const socket = connect({ host: '127.0.0.1', port });
    onTestFinished(() => void socket.destroy());
    const client = { socket, heard: '' };
    socket.on('data', (bytes) => {
      client.heard += bytes;
    });
    socket.write(`PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO c\r\n${first}`);
    return client;
  });
  await eventually(() => expect(clients.every(({ heard }) => ready(heard))).toBe(true));
  for (const { socket, heard } of clients) socket.write(guess(heard));
  await eventually(() =>
    expect(clients.filter(({ heard }) => /^(?:235|454|535) /m.test(heard))).toHaveLength(30),
  );
  waiting = [];
  return clients.map(({ heard }) => /^(?:235|454|535) /m.exec(heard)?.[0].trim()).sort();
}

const TEN_OF_THIRTY = [...Array(20).fill('454'), ...Array(10).fill('535')];

it('guesses at the same time are told no more of than ten, a right one neither', async () => {
  const plain = `AUTH PLAIN ${Buffer.from('\0ann\0guess').toString('base64')}\r\n`;
  expect(
    await guessing(
      (heard) => heard.includes('\r\n250 '),
      '',
      () => plain,
    ),
  ).toEqual(TEN_OF_THIRTY);
});

it('proofs of SCRAM at the same time neither', async () => {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const proof = (heard: string) => {
    const [, challenge = ''] = /^334 (.*)\r$/m.exec(heard) ?? [];
    const [, nonce = ''] = /r=([^,]+)/.exec(Buffer.from(challenge, 'base64').toString()) ?? [];
    return `${encode(`c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`)}\r\n`;
  };
  const first = `AUTH SCRAM-SHA-256 ${encode('n,,n=ann,r=abc')}\r\n`;
  expect(await guessing((heard) => heard.includes('\r\n334 '), first, proof)).toEqual(TEN_OF_THIRTY);
});
