/** `send` without `--host`: the mail exchangers of each recipient's domain, asked of a real DNS server. */
import { formatMailbox, type ServerSessionOptions } from '@sansmtp/core';
import { Rejection, type ServerHandlers } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveDns, type Zone } from '../../delivery/test/dns-server.js';
import { type Result, sansmtp } from '../src/running.test-support.js';

/** An exchanger on this loopback address, and for whom it took mail. */
async function exchanger(
  host: string,
  port: number,
  handlers: Partial<ServerHandlers> = {},
  session: Pick<ServerSessionOptions, 'extensions'> = {},
) {
  const taken: string[][] = [];
  const server = await startMailServer({
    addresses: [{ host, port }],
    session: { hostname: 'mx.example', ...session },
    handlers: {
      onMessage({ envelope }) {
        taken.push(envelope.recipients.map(({ forwardPath }) => formatMailbox(forwardPath)));
      },
      ...handlers,
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return { port: address?.kind === 'tcp' ? address.port : 0, taken };
}

async function send(zone: Zone, port: number, to: readonly string[], ...words: string[]): Promise<Result> {
  const dns = await serveDns(zone);
  onTestFinished(() => dns.close());
  const recipients = to.flatMap((address) => ['--to', address]);
  const where = ['--dns', dns.address, '--port', `${port}`, '--from', 'ann@c.example'];
  return sansmtp(['send', ...where, ...recipients, ...words], 'Subject: a\n\nb\n');
}

const DELIVERED = '250 2.0.0 Message accepted';

describe('send without --host', () => {
  it('goes to the best exchanger of each domain that answers, in one transaction where they are the same', async () => {
    const best = await exchanger('127.0.0.2', 0);
    const other = await exchanger('127.0.0.3', best.port);
    const zone = {
      'MX a.example': ['10 dead.example', '20 mx.example', '30 other.example'],
      'MX b.example': ['30 other.example', '10 dead.example', '20 mx.example'],
      'MX c.example': ['5 other.example'],
      'A dead.example': ['127.0.0.9'],
      'A mx.example': ['127.0.0.2'],
      'A other.example': ['127.0.0.3'],
    };
    const to = ['joe@a.example', 'ann@b.example', 'bob@c.example'];
    expect(await send(zone, best.port, to)).toEqual({
      stdout: to.map((address) => `delivered ${address} ${DELIVERED}\n`).join(''),
      stderr: '',
      exitCode: 0,
    });
    expect(best.taken).toEqual([['joe@a.example', 'ann@b.example']]);
    expect(other.taken).toEqual([['bob@c.example']]);
  });

  it('goes to the host of the domain itself where it has no MX (RFC 5321 §5.1), also by its Unicode name', async () => {
    const host = await exchanger('127.0.0.2', 0);
    const zone = { 'A xn--bcher-kva.example': ['127.0.0.2'] };
    expect(await send(zone, host.port, ['joe@bücher.example'])).toEqual({
      stdout: `delivered joe@bücher.example ${DELIVERED}\n`,
      stderr: '',
      exitCode: 0,
    });
  });

  it.each([
    { zone: { 'MX a.example': ['0 .'] }, line: /^rejected joe@a\.example 556 5\.1\.10 /, code: 68 }, // RFC 7505
    { zone: {}, line: /^rejected joe@a\.example 550 5\.1\.2 .*does not exist/, code: 68 },
    { zone: { 'MX a.example': ['10 mx.example'] }, line: /^rejected joe@a\.example .*/, code: 68 },
  ])('exits 68 where there is no route to the domain: $zone', async ({ zone, line, code }) => {
    const { stdout, stderr, exitCode } = await send(zone, 1, ['joe@a.example']);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: code });
    expect(stdout).toMatch(line);
  });

  it('exits 75 where no exchanger answers, or DNS does not in time', async () => {
    const zone = { 'MX a.example': ['10 mx.example'], 'A mx.example': ['127.0.0.9'] };
    expect(await send(zone, 1, ['joe@a.example'])).toMatchObject({
      stdout: expect.stringMatching(/^deferred joe@a\.example mx\.example: Cannot connect/),
      exitCode: 75,
    });
    const silent = [
      'send',
      '--dns',
      '127.0.0.9:1',
      '--timeout',
      '0.5',
      '--from',
      '<>',
      '--to',
      'joe@a.example',
    ];
    const begin = performance.now();
    expect(await sansmtp(silent, 'x\n')).toMatchObject({
      stdout: expect.stringMatching(/^deferred joe@a\.example /),
      exitCode: 75,
    });
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  it('asks --dns for the name of --host too', async () => {
    const host = await exchanger('127.0.0.2', 0);
    const zone = { 'A relay.example': ['127.0.0.2'] };
    const to = ['joe@a.example'];
    expect(await send(zone, host.port, to, '--host', 'relay.example')).toMatchObject({ exitCode: 0 });
    expect(await send(zone, host.port, to, '--host', 'other.example')).toMatchObject({
      stdout: expect.stringMatching(/^rejected joe@a\.example .*no such host/),
      exitCode: 68,
    });
  });

  it('says what became of each recipient of several domains, and exits 69 for one that was rejected', async () => {
    const host = await exchanger('127.0.0.2', 0, {
      onRcptTo({ forwardPath: { localPart } }) {
        if (localPart === 'nobody') throw new Rejection(550, '5.1.1', 'Unknown');
      },
    });
    const zone = { 'A a.example': ['127.0.0.2'], 'MX b.example': ['0 .'] };
    const to = ['joe@a.example', 'nobody@a.example', 'joe@b.example'];
    const { stdout, exitCode } = await send(zone, host.port, to);
    expect(stdout.split('\n')).toEqual([
      `delivered joe@a.example ${DELIVERED}`,
      'rejected nobody@a.example 550 5.1.1 Unknown',
      expect.stringMatching(/^rejected joe@b\.example /),
      '',
    ]);
    expect(exitCode).toBe(69);
  });

  it('exits 64 for an address that cannot be sent to, also where the others got the message (RFC 6531 §3.2)', async () => {
    const host = await exchanger('127.0.0.2', 0);
    const plain = await exchanger('127.0.0.3', host.port, {}, { extensions: [] });
    const zone = { 'A a.example': ['127.0.0.2'], 'A b.example': ['127.0.0.3'] };
    const { stdout, exitCode } = await send(zone, host.port, ['joe@a.example', 'jörg@b.example']);
    expect(stdout.split('\n')).toEqual([
      `delivered joe@a.example ${DELIVERED}`,
      expect.stringMatching(
        /^rejected jörg@b\.example 5\.6\.7 .*needs SMTPUTF8, which the server does not offer/,
      ),
      '',
    ]);
    expect(exitCode).toBe(64);
    expect([host.taken, plain.taken]).toEqual([[['joe@a.example']], []]);
  });
});
