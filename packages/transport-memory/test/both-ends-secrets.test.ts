/**
 * No password, token or key appears where somebody may keep it: in transcripts, traces, errors, or in what handlers
 * are given when that is printed.
 */
import { inspect } from 'node:util';
import type { MechanismName } from '@sansmtp/core';
import { Secret } from '@sansmtp/core';
import type { ServerHandlers } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticatingBy,
  boundTls,
  checking,
  credentialsOf,
  MECHANISMS,
  storedFor,
  tokenOf,
} from './authenticating.js';
import { connect, envelopeFor } from './connecting.js';
import { expectEverySessionToEnd, negotiate, networks } from './negotiating.js';
import { octetsOf, settle } from './peer.js';
import { read } from './serving.js';

expectEverySessionToEnd();

/** Long enough not to appear by chance. */
const passwords = fc
  .string({ unit: fc.constantFrom(...'abcXYZ0189!?,="\\', 'ü', '漢'), minLength: 8, maxLength: 20 })
  .filter((text) => !text.includes('  '));

/** What would betray a secret: itself, in hexadecimal, and in base64 at each offset that it may have there. */
function formsOf(secret: string): string[] {
  const octets = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), octets]).toString('base64');
    // What the octets before and behind have no part in.
    return encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + octets.length) * 4) / 3));
  });
  const decimals = [...octets].join(',');
  return [secret, octets.toString('latin1'), octets.toString('hex'), decimals, ...base64];
}

/** Looks everywhere in what is printed, one line of digits or several. */
function expectNothingOf(secret: string, printed: string): void {
  const text = printed.toLowerCase();
  const dense = text.replace(/\s/g, '');
  for (const form of formsOf(secret)) {
    const wanted = form.toLowerCase();
    expect(text.includes(wanted) || dense.includes(wanted), `${form} in ${printed}`).toBe(false);
  }
}

function print(value: unknown): string {
  const shown = inspect(value, { depth: 20, showHidden: true, getters: true, maxArrayLength: null });
  return `${shown}\n${String(value)}\n${JSON.stringify(value) ?? ''}`;
}

/** Errors with all that hangs on them. */
function printError(error: unknown): string {
  if (!(error instanceof Error)) return print(error);
  return `${print(error)}\n${error.stack}\n${print({ ...error })}\n${printError(error.cause)}`;
}

/** Prints all that any handler is given. */
function printing(handlers: ServerHandlers, printed: string[]): ServerHandlers {
  const spy: Record<string, unknown> = {};
  const all = { onConnect() {}, onSecure() {}, onHello() {}, onMailFrom() {}, onRcptTo() {}, ...handlers };
  for (const [name, handler] of Object.entries(all) as [string, (...given: unknown[]) => unknown][]) {
    spy[name] = (...given: unknown[]) => {
      printed.push(...given.map(print));
      return handler(...given);
    };
  }
  return spy as unknown as ServerHandlers;
}

type Ending = 'right' | 'wrong' | 'rejected' | 'fault' | 'lost';

async function printedOf(
  mechanism: MechanismName,
  password: string,
  ending: Ending,
  network: Record<string, unknown>,
): Promise<string> {
  const printed: string[] = [];
  const user = { username: 'somebody', password };
  const given = { ...user, password: ending === 'wrong' ? `${password}x` : password };
  const checks = checking(user, await storedFor(mechanism, password, false), []);
  const handlers = printing(
    {
      async onMessage({ body }) {
        await read(body);
      },
      ...checks,
      ...(ending === 'rejected' && { onAuth: () => false }),
      ...(ending === 'fault' && { onAuth: () => Promise.reject(new Error('The directory is away')) }),
      onError() {},
      onClose() {},
    },
    printed,
  );
  const session = negotiate(
    authenticatingBy(mechanism, credentialsOf(mechanism, given), {
      handlers,
      network: {
        ...network,
        ...(ending === 'lost' && { dropAfter: { first: 60 } }),
        tls: { mode: 'implicit', ...boundTls('CN=somebody') },
      },
    }),
  );
  const result = await session.until(session.opening.catch((error: unknown) => error));
  printed.push(
    printError(result),
    session.wire.sent,
    session.wire.received,
    print(session.transitions),
    print(session.connection),
    print(session.connection.information),
    ...session.errors.map(printError),
    ...session.closings.map(printError),
  );
  await session.end();
  return printed.join('\n');
}

describe.each(MECHANISMS.filter((name) => name !== 'EXTERNAL'))('AUTH %s', (mechanism) => {
  it('shows the password or token nowhere, however it ends', async () => {
    const endings = fc.constantFrom<Ending>('right', 'wrong', 'rejected', 'fault', 'lost');
    await fc.assert(
      fc.asyncProperty(passwords, endings, networks, async (password, ending, network) => {
        const printed = await printedOf(mechanism, password, ending, network());
        const isToken = mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER';
        expectNothingOf(isToken ? tokenOf(password) : password, printed);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a client', () => {
  /** A server's ways to misbehave in an exchange: some have it say what it has heard. */
  const replies = fc.constantFrom(
    ...['334 ', '334 VXNlcm5hbWU6', '334 !', '235 2.7.0 OK', '250 OK', '501 No', '421 Bye', 'x'],
    ...['334 ECHO', '334-ECHO\r\n334 ECHO', '235 ECHO', '250 ECHO', '350 ECHO', 'ECHO'],
  );

  it.each(['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'OAUTHBEARER'] as const)(
    'shows nothing in AUTH %s with a server that breaks the protocol',
    async (mechanism) => {
      await fc.assert(
        fc.asyncProperty(passwords, fc.array(replies, { maxLength: 4 }), async (password, said) => {
          const credentials = credentialsOf(mechanism, { username: 'somebody', password });
          let next = 0;
          const records: unknown[] = [];
          const { opening, wire, server } = connect(
            {
              keywords: [`AUTH ${mechanism}`],
              reply: (command) =>
                /^(EHLO|QUIT)/.test(command)
                  ? undefined
                  : (said[next++] ?? '535 No').replaceAll('ECHO', command.split(' ').at(-1) ?? ''),
            },
            {
              authentication: { credentials, mechanisms: [mechanism], allowInsecure: true },
              onTransition: (record) => void records.push(record),
            },
          );
          const result = await opening.catch((error: unknown) => error);
          const printed = [printError(result), wire.sent, wire.received, print(records)].join('\n');
          const isToken = mechanism === 'OAUTHBEARER';
          expectNothingOf(isToken ? tokenOf(password) : password, printed);
          server.stream.abort();
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each(['SCRAM-SHA-1', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const)(
    'shows nothing of a password that cannot be one in AUTH %s',
    async (mechanism) => {
      for (const password of [
        'pencil\u0000behind-nul',
        'pencil\ue000private',
        'pencil-too-long'.repeat(2_000),
      ]) {
        const credentials = { kind: 'password', username: 'user', password: new Secret(password) } as const;
        const session = negotiate({
          ...authenticatingBy(mechanism, credentials, { network: { tls: { mode: 'implicit' } } }),
        });
        const error = await session.opening.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(Error);
        const printed = [printError(error), session.wire.sent, session.wire.received].join('\n');
        expectNothingOf(password.slice(0, 200), printed);
        expect(printed).not.toContain('pencil');
      }
    },
  );

  it('writes of an AUTH exchange into a transcript only how much there was', async () => {
    const user = { username: 'user', password: 'pencil' };
    const session = negotiate(
      authenticatingBy('PLAIN', credentialsOf('PLAIN', user), {
        network: { tls: { mode: 'implicit' } },
        handlers: checking(user, await storedFor('PLAIN', 'pencil', false), []),
      }),
    );
    await session.opened();
    expect(session.wire.sent).toBe('EHLO c.example\r\nAUTH PLAIN [16 octets]\r\n');
    expect(session.wire.received).toMatch(/\r\n235 \[36 octets\]\r\n$/);
  });

  it('shows nothing of a reply that quotes the credentials behind the exchange, but its code and length', async () => {
    const password = 'correct horse battery';
    const said = Buffer.from(`\0user\0${password}`).toString('base64');
    const { opening, wire, server } = connect(
      {
        keywords: ['AUTH PLAIN'],
        reply(command, { stream }) {
          if (command.startsWith('AUTH')) return '235 OK';
          if (!command.startsWith('MAIL')) return undefined;
          stream.write(octetsOf(`550 You have said ${said}\r\n221 ${password}`));
          return null;
        },
      },
      {
        authentication: {
          credentials: credentialsOf('PLAIN', { username: 'user', password }),
          allowInsecure: true,
        },
        chunkSize: 11,
      },
    );
    const client = await opening;
    const [verdict] = await client.send(envelopeFor(), 'text');
    expect(verdict).toMatchObject({ verdict: 'rejected', reply: { code: 550 } });
    await settle(); // the rest arrives
    server.stream.abort();
    await client.closed;
    expectNothingOf(password, `${print(verdict)}${wire.received}`);
    const length = `550 You have said ${said}\r\n`.length;
    const rest = `221 ${password}`.length;
    expect(wire.received).toContain(`550 [${length} octets]\r\n221 [${rest} octets]\r\n`);
  });
});
