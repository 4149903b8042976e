import { type OpenSessionOptions, openSession } from '@sansmtp/transport';
import { afterEach, describe, expect, it } from 'vitest';
import {
  openScriptedServer,
  type PassedMoment,
  type Script,
  type ScriptedServer,
  StalledError,
} from '../index.js';

const open: ScriptedServer[] = [];
afterEach(() => Promise.all(open.splice(0).map((server) => server.close())));

async function serverWith(script: Script | readonly Script[], options = {}): Promise<ScriptedServer> {
  const server = await openScriptedServer(script, options);
  open.push(server);
  return server;
}

const sessionWith = (server: ScriptedServer, options: Partial<OpenSessionOptions> = {}) =>
  openSession(server.connect(), { hostname: 'client.example.org', clock: server.time.clock, ...options });

const RECIPIENTS = ['ann', 'bob', 'eve', 'joe'].map((name) => `${name}@example.com`);

async function send(server: ScriptedServer, to = RECIPIENTS.slice(0, 1), options = {}) {
  const session = await sessionWith(server, options);
  const verdicts = await session.send({ from: 'me@example.org', to }, 'Subject: hello\n\n.dots\n');
  return verdicts.map(({ verdict, reply }) => [verdict, reply?.code]);
}

describe('a scripted server', () => {
  it('takes everything where its script says nothing', async () => {
    const server = await serverWith({ offers: ['PIPELINING', 'SIZE 1000'] });
    const session = await sessionWith(server);
    await session.send({ from: 'me@example.org', to: ['bob@example.com'] }, 'x\n');
    await session.quit();
    expect((await server.next()).text).toBe('x\r\n');
    expect(server.transcript()).toBe(
      [
        'S: 220 script.test ESMTP',
        'C: EHLO client.example.org',
        'S: 250-script.test',
        'S: 250-PIPELINING',
        'S: 250 SIZE 1000',
        'C: MAIL FROM:<me@example.org>',
        'S: 250 2.1.0 OK',
        'C: RCPT TO:<bob@example.com>',
        'S: 250 2.1.5 OK',
        'C: DATA',
        'S: 354 Go on, and end with a dot',
        'C: (3 octets) of mail data, and the final dot',
        'S: 250 2.0.0 Stored',
        'C: QUIT',
        'S: 221 2.0.0 script.test closes',
      ].join('\n'),
    );
  });

  it('refuses the third recipient, then leaves', async () => {
    const server = await serverWith({
      RCPT: ['250 2.1.5 OK', '250 2.1.5 OK', '452 4.5.3 Too many recipients', '421 4.3.2 Going down'],
    });
    expect(await send(server, RECIPIENTS)).toMatchObject([
      ['deferred', 421],
      ['deferred', 421],
      ['deferred', 452],
      ['deferred', 421],
    ]);
    expect(server.messages).toEqual([]);
  });

  it('stalls in the middle of a reply', async () => {
    const server = await serverWith({
      message: { reply: '250 2.0.0 Stored', stall: { after: 8, for: 30_000 } },
    });
    const sending = send(server);
    await expect(server.time.wait(sending)).rejects.toThrow(/The script of connection 1 waits 30000 ms more/);
    await expect(server.next()).rejects.toThrow(StalledError);
    await server.time.advance(30_000);
    expect(await sending).toEqual([['delivered', 250]]);
  });

  it('stalls for longer than the client has patience', async () => {
    const server = await serverWith({ DATA: { wait: 3_600_000, reply: '354 Go on' } });
    const sending = send(server);
    await server.time.advance(600_000);
    expect(await server.time.wait(sending)).toMatchObject([['deferred', undefined]]);
  });

  it('accepts, then drops after the final dot', async () => {
    const server = await serverWith({ message: 'drop' });
    expect(await send(server)).toEqual([['unknown', undefined]]);
    expect(server.messages).toEqual([]);
  });

  it('ends in order, without a reply', async () => {
    const server = await serverWith({ MAIL: 'end' });
    expect(await send(server)).toMatchObject([['deferred', undefined]]);
  });

  it('offers what it refuses', async () => {
    const server = await serverWith({ offers: ['STARTTLS'], STARTTLS: '454 4.7.0 Not now' });
    await expect(sessionWith(server, { startTls: 'required' })).rejects.toThrow('454');
  });

  it('has steps for what it does not offer, where that is meant', async () => {
    const STARTTLS = '454 4.7.0 Not now';
    const greeting = '250-script.test\n250 STARTTLS';
    for (const script of [
      { offers: [], STARTTLS },
      { EHLO: greeting, STARTTLS },
    ]) {
      expect((await serverWith(script)).lines).toEqual([]);
    }
  });

  it('fails the handshake', async () => {
    const server = await serverWith({
      offers: ['STARTTLS'],
      STARTTLS: { reply: '220 Go on', ending: 'failHandshake' },
    });
    await expect(sessionWith(server, { startTls: 'required' })).rejects.toThrow(/handshake/i);
  });

  it('goes over to TLS', async () => {
    const server = await serverWith({ offers: ['STARTTLS'] });
    await send(server, undefined, { startTls: 'required' });
    expect((await server.next()).secure).toBe(true);
    expect(server.transcript().match(/EHLO/g)).toHaveLength(2);
  });

  it('says what is no reply', async () => {
    const server = await serverWith({ MAIL: { octets: '\u0000250-\r\r\n', ending: 'end' } });
    expect(await send(server)).toMatchObject([['deferred', undefined]]);
    expect(server.transcript()).toContain('S: \\x00250-\\x0d\\x0d\\x0a');
  });

  it('answers by a function of the line', async () => {
    const server = await serverWith({
      RCPT: (line) => (line.includes('bob') ? '550 5.1.1 No bob' : '250 2.1.5 OK'),
    });
    expect(await send(server, RECIPIENTS.slice(0, 2))).toEqual([
      ['delivered', 250],
      ['rejected', 550],
    ]);
    expect((await server.next()).to).toEqual(['ann@example.com']);
  });

  it('has a script for each connection', async () => {
    const server = await serverWith([{ greeting: '421 4.3.2 Not yet' }, {}]);
    await expect(sessionWith(server)).rejects.toThrow('421');
    expect(await send(server)).toEqual([['delivered', 250]]);
    expect(await send(server)).toEqual([['delivered', 250]]);
  });

  it('speaks LMTP, with a reply for each recipient', async () => {
    const server = await serverWith({ message: ['250 2.0.0 OK', '452 4.2.2 Full'] }, { protocol: 'lmtp' });
    expect(await send(server, RECIPIENTS.slice(0, 3), { protocol: 'lmtp' })).toEqual([
      ['delivered', 250],
      ['deferred', 452],
      ['deferred', 452],
    ]);
  });

  it('reads chunks', async () => {
    const server = await serverWith({ offers: ['CHUNKING'] });
    const session = await sessionWith(server);
    const body = new TextEncoder().encode(`${'a'.repeat(200_000)}\r\n`);
    await session.send({ from: null, to: ['bob@example.com'] }, body);
    expect((await server.next()).raw).toEqual(body);
  });

  it('shows nothing of an AUTH exchange, and nothing of a message', async () => {
    const server = await serverWith({ offers: ['AUTH PLAIN LOGIN'] });
    const { Secret } = await import('@sansmtp/core');
    const authentication = {
      credentials: { kind: 'password' as const, username: 'ann', password: new Secret('pencil') },
      allowInsecure: true,
    };
    for (const mechanisms of [['PLAIN'], ['LOGIN']] as const) {
      await send(server, undefined, { authentication: { ...authentication, mechanisms } });
    }
    expect(server.transcript()).toContain('C: AUTH PLAIN (');
    expect(server.transcript()).not.toMatch(/dots|pencil|AGFubgBwZW5jaWw|cGVuY2ls/);
  });

  it('tells each moment, with every octet of the client', async () => {
    const passed: string[] = [];
    const text = (octets: Uint8Array) => new TextDecoder('latin1').decode(octets);
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const onMoment = ({ connection, moment, octets, ahead, said }: PassedMoment) => {
      passed.push(`${connection} ${moment} ${text(octets)}+${ahead} ${text(said)}`);
      if (moment === 'closed') close();
    };
    const server = await openScriptedServer(
      { EHLO: { octets: '250 bare\n' }, MAIL: '421 4.3.2 Going down' },
      { onMoment },
    );
    open.push(server);
    const stream = server.connect();
    stream.open({ data() {}, end() {}, drain() {}, secure() {}, close() {} });
    stream.write(new TextEncoder().encode('EHLO a\r\nMAIL FROM:<>\r\nRSET\r\n'));
    stream.end();
    await closed;
    expect(passed).toEqual([
      '1 greeting +0 220 script.test ESMTP\r\n',
      '1 EHLO EHLO a\r\n+20 250 bare\n',
      '1 MAIL MAIL FROM:<>\r\n+6 421 4.3.2 Going down\r\n',
      '1 closed RSET\r\n+0 ',
    ]);
  });

  it('takes addresses beyond ASCII', async () => {
    const server = await serverWith({ offers: ['8BITMIME', 'SMTPUTF8'] });
    expect(await send(server, ['jürgen@example.com'])).toEqual([['delivered', 250]]);
    expect((await server.next()).to).toEqual(['jürgen@example.com']);
  });

  it('reads mail data after octets that give the go-ahead', async () => {
    const server = await serverWith({ DATA: { octets: '354 bare\n' } });
    const stream = server.connect();
    stream.open({ data() {}, end() {}, drain() {}, secure() {}, close() {} });
    stream.write(new TextEncoder().encode('MAIL FROM:<>\r\nRCPT TO:<a@b.cc>\r\nDATA\r\nx\r\n.\r\n'));
    expect((await server.next()).text).toBe('x\r\n');
  });

  it.each([
    [{ RCTP: '250 OK' }, 'did you mean RCPT?'],
    [{ RCPT: [] }, 'The part RCPT is an empty list'],
    [{ RCPT: 250 }, 'RCPT[0] is 250'],
    [{ RCPT: ['250 OK', 'OK'] }, 'RCPT[1] is "OK"; each line of a reply begins with its code'],
    [{ RCPT: { reply: '250 OK', octets: 'x' } }, 'RCPT[0] has a reply and octets'],
    [{ RCPT: { replay: '250 OK' } }, 'did you mean RCPT[0].reply?'],
    [{ RCPT: { wait: Number.NaN } }, 'RCPT[0].wait is NaN'],
    [{ RCPT: { reply: '250 OK', stall: { after: -1, for: 1 } } }, 'RCPT[0].stall.after is -1'],
    [{ RCPT: { ending: 'dorp' } }, 'did you mean drop?'],
    [{ offers: 'SIZE' }, 'The part offers takes EHLO keywords'],
    [{ STARTTLS: '454 4.7.0 Not now' }, "STARTTLS, which it does not offer: give offers: ['STARTTLS']"],
    [[{}, { AUTH: '535 5.7.8 No' }], "AUTH, which it does not offer: give offers: ['AUTH PLAIN']"],
    [[], 'There is no script'],
  ])('names the mistake in %j', async (script, words) => {
    await expect(openScriptedServer(script as Script)).rejects.toThrow(words);
  });
});
