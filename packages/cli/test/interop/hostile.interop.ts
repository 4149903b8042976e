/** `sansmtp relay` among hostile clients and next hops: what they say is refused, or goes no further than it may. */
import { Rejection } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { freePort } from './ports.js';
import { greeted } from './raw-client.js';
import { nextHop, relay, submit } from './relaying.js';

const TIMES = { timeout: 45_000 };
const DAY = 86_400;

/** What MAIL, after EHLO, and RCPT, after MAIL, may not say; and the replies. */
const REFUSED_MAIL = [
  ['ENVID=a+0D+0ABcc:+20eve@example.org', /^501 /],
  ['ENVID=a+00b', /^501 /],
  ['ENVID=a+0', /^501 /],
  ['RET=BOTH', /^50[14] /],
  [`HOLDFOR=${3650 * DAY}`, /^501 /],
  ['HOLDFOR=-1', /^501 /],
  ['HOLDUNTIL=2099-01-01T00:00:00Z', /^501 /],
  ['HOLDFOR=1 HOLDUNTIL=2027-01-01T00:00:00Z', /^501 /],
  ['BY=0;R', /^501 /],
  ['BY=-5;R', /^501 /],
  ['BY=9999999999;R', /^501 /],
  ['BY=5', /^501 /],
  ['MT-PRIORITY=10', /^501 /],
  ['MT-PRIORITY=-10', /^501 /],
  ['SIZE=99999999999999', /^(?:501|552) /],
  ['BODY=BINARYMIME BODY=7BIT', /^501 /],
] as const;
const REFUSED_RCPT = [
  ['NOTIFY=NEVER,SUCCESS', /^501 /],
  ['NOTIFY=', /^501 /],
  ['NOTIFY=SUCCESS,SUCCESS,NEVER', /^501 /],
  ['ORCPT=rfc822;a+0D+0AEvil:+20b', /^501 /],
  ['ORCPT=utf-8;a\\x{D}\\x{A}Evil', /^501 /],
  ['ORCPT=a', /^501 /],
  ['NOTIFY=FAILURE NOTIFY=DELAY', /^501 /],
] as const;

describe('a client that may relay', () => {
  it('cannot slip lines into a notification, nor ask for times that there are not', async () => {
    const server = await relay(['--relay-from', '127.0.0.1', '--domain', 'local.example']);
    const client = await greeted(server);
    await client.say('EHLO c\r\n', /^250 /m);
    const reply = async (line: string) => {
      const from = client.received.length;
      await client.say(`${line}\r\n`, /^\d{3} .*\r\n/m);
      return client.received.slice(from);
    };
    for (const [parameters, expected] of REFUSED_MAIL) {
      expect(await reply(`MAIL FROM:<ann@example.com> ${parameters}`), parameters).toMatch(expected);
      // Wrong commands in a row end a session.
      await reply('RSET');
    }
    await reply('MAIL FROM:<ann@example.com> ENVID=+3Cb+3E BY=-5;N');
    for (const [parameters, expected] of REFUSED_RCPT) {
      expect(await reply(`RCPT TO:<bob@local.example> ${parameters}`), parameters).toMatch(expected);
      await reply('NOOP');
    }
    expect(
      await reply('RCPT TO:<bob@local.example> NOTIFY=SUCCESS ORCPT=rfc822;bob+40local.example'),
    ).toMatch(/^250 /);
  });

  it('has mail returned that the next hop refuses, whatever that says, and in one notification', async () => {
    const hop = await nextHop({
      onRcptTo() {
        throw new Rejection(550, '5.1.1', 'No\u001b]0;such\u0007 mailbox');
      },
    });
    const server = await relay([
      ...['--relay-from', '127.0.0.1', '--domain', 'example.com', '--no-recipient-check', '--json'],
      ...['--route', `routed.example=127.0.0.1:${hop.port}`],
    ]);
    const huge = `X-Long: ${'x'.repeat(990)}\r\n`.repeat(3000);
    expect(
      await submit(server, 'bob@routed.example', `${huge}Subject: a\r\n\r\na\r\n`, ' RET=HDRS ENVID=a+2Bb'),
    ).toMatch(/^250 /);
    await expect.poll(async () => (await server.messages()).length, TIMES).toBe(1);
    const [{ body = Buffer.alloc(0) } = {}] = await server.messages();
    expect(`${body}`).toMatch(/^Original-Envelope-Id: a\+b\r$/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(`${body}`).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/);
    expect(body.length).toBeLessThan(huge.length / 2);
  });
});

describe('a bounce', () => {
  it('of a bounce goes to the postmaster once, and ends there', async () => {
    const hop = await nextHop({
      onRcptTo() {
        throw new Rejection(550, '5.1.1', 'Nobody is here');
      },
    });
    const server = await relay([
      ...['--relay-from', '127.0.0.1', '--route', `*=127.0.0.1:${hop.port}`, '--json'],
      ...['--postmaster', 'post@master.example'],
    ]);
    await submit(server, 'bob@far.example');
    await expect.poll(() => server.stderr, TIMES).toContain('nobody is told: it was a notification');
    await expect.poll(() => server.listed(), TIMES).toEqual([]);
    expect(server.stderr.match(/"the sender is told"/g)).toHaveLength(2);
  });

  it('does not go round between this host and an exchanger that is a loopback address of it', async () => {
    const zone = { 'MX evil.example': ['1 mx.evil.example'], 'A mx.evil.example': ['127.7.7.7'] };
    const port = `${await freePort()}`;
    const words = [
      '--host',
      '0.0.0.0',
      '--relay-from',
      '127.0.0.0/8',
      '--port',
      port,
      '--mx-port',
      port,
      '--json',
    ];
    const server = await relay(words, { zone });
    await submit({ port: Number(port) }, 'bob@evil.example');
    await expect.poll(() => server.stderr, TIMES).toMatch(/"bob@evil\.example".*5\.4\.6/);
    expect(server.stderr.match(/"message queued"/g)).toHaveLength(1);
  });
});

it('mail in UTF-8 that the next hop does not take is returned (5.6.7)', async () => {
  const hop = await nextHop({ onHello: () => ({ withhold: { extensions: ['SMTPUTF8'] } }) });
  const server = await relay([
    ...['--relay-from', '127.0.0.1', '--domain', 'example.com', '--no-recipient-check', '--json'],
    ...['--route', `routed.example=127.0.0.1:${hop.port}`],
  ]);
  const client = await greeted(server);
  await client.say('EHLO c\r\nMAIL FROM:<ann@example.com> SMTPUTF8\r\n', /^250 2\.1\.0/m);
  await client.say(Buffer.from('RCPT TO:<bücher@routed.example>\r\n'), /^250 2\.1\.5/m);
  await client.say('DATA\r\n', /^354 /m);
  await client.say('Subject: a\r\n\r\na\r\n.\r\n', /^250 2\.0\.0/m);
  await expect.poll(() => server.stderr, TIMES).toMatch(/5\.6\.7/);
  await expect.poll(async () => (await server.messages()).length, TIMES).toBe(1);
  const [{ body = '' } = {}] = await server.messages();
  expect(`${body}`).toMatch(/^Status: 5\.6\.7\r$/m);
  expect(hop.messages).toEqual([]);
});
