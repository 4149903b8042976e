/**
 * A session with all that can be negotiated, stopped at each step of either chart: by a shutdown of the server, by an
 * abort of either end, by a handler, by time. Both ends must come to their end, and agree on what was delivered.
 */
import { Secret, type ServerState, type Verdict } from '@sansmtp/core';
import type { ClientConnection, ServerConnection } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { checking, storedFor } from './authenticating.js';
import { envelopeFor } from './connecting.js';
import { type Negotiation, negotiate } from './negotiating.js';
import { nodeCryptography } from './node-cryptography.js';
import { octetsOf, settle } from './peer.js';
import { read } from './serving.js';

const user = { username: 'user', password: 'pencil' };
const stored = await storedFor('SCRAM-SHA-256', user.password, true);

type Stop = (ends: { readonly server: ServerConnection; readonly client: AbortController }) => void;

interface Run {
  /** The step of either chart at which to stop, counted from 0. */
  readonly at: number;
  readonly stop: Stop;
  /** From within the step, or behind all that happens at once with it. */
  readonly late: boolean;
}

interface Outcome {
  readonly session: Negotiation;
  readonly states: readonly string[];
  readonly accepted: number;
  readonly verdicts: readonly Verdict[];
  readonly errors: readonly unknown[];
}

/** STARTTLS, AUTH, XFORWARD, an inquiry, a message in chunks, QUIT. */
async function run({ at, stop, late }: Run): Promise<Outcome> {
  const cancelling = new AbortController();
  const states: string[] = [];
  let steps = 0;
  let server: ServerConnection | undefined;
  const stopNow = () => {
    if (server !== undefined) stop({ server, client: cancelling });
  };
  const step = ({ to }: { readonly to: string }) => {
    states.push(to);
    if (steps++ !== at) return;
    if (late || server === undefined) settle().then(stopNow);
    else stopNow();
  };
  let accepted = 0;
  const turn = async () => {};
  const session = negotiate({
    network: { latency: 1, chunkSize: 50, tls: { mode: 'startTls' } },
    handlers: {
      ...checking(user, stored, []),
      onConnect: turn,
      onHello: turn,
      onMailFrom: turn,
      onRcptTo: turn,
      onVerify: turn,
      async onMessage({ body }) {
        await read(body);
        accepted++;
      },
    },
    server: {
      startTls: 'required',
      trusted: true,
      authentication: { required: true },
      cryptography: { compute: async (computation) => nodeCryptography.compute(computation) },
      onTransition: step,
    },
    client: {
      startTls: 'required',
      authentication: {
        credentials: { kind: 'password', username: user.username, password: new Secret(user.password) },
        mechanisms: ['SCRAM-SHA-256'],
      },
      xforward: { address: '192.0.2.1' },
      mailDataBy: 'bdat',
      onTransition: step,
      signal: cancelling.signal,
    },
  });
  server = session.connection;

  const errors: unknown[] = [];
  const verdicts: Verdict[] = [];
  const use = async (client: ClientConnection) => {
    cancelling.signal.addEventListener('abort', () => client.abort(cancelling.signal.reason));
    await client.inquire({ verb: 'VRFY', argument: 'a' });
    const body = (async function* () {
      for (const piece of [`${'x'.repeat(98)}\r\n`.repeat(660), 'two\r\n', 'three\r\n']) {
        yield octetsOf(piece);
        await settle();
      }
    })();
    verdicts.push(...(await client.send(envelopeFor(), body)));
    await client.quit();
  };
  const using = session.opening.then(use).catch((error: unknown) => void errors.push(error));
  await session.until(Promise.all([using, session.connection.closed]));
  await session.end();
  return { session, states, accepted, verdicts, errors };
}

const never: Stop = () => {};
const reason = new Error('Enough');
const { states: everyState, ...whole } = await run({ at: -1, stop: never, late: false });
const everyStep = everyState.map((_, at) => at);

describe('a session that nobody stops', () => {
  it('goes through all that can be negotiated', () => {
    expect(whole.errors).toEqual([]);
    expect(whole.verdicts).toMatchObject([{ verdict: 'delivered' }]);
    expect(whole.accepted).toBe(1);
    const states: readonly (ServerState | 'session.authentication.preparing' | 'session.forwarding')[] = [
      'session.securing',
      'session.authenticating.computing',
      'session.authenticating.challenged',
      'session.transaction.receivingChunk',
      'session.transaction.chunked',
      'session.transaction.committing',
      'session.authentication.preparing',
      'session.forwarding',
    ];
    expect(everyState).toEqual(expect.arrayContaining([...states]));
  });
});

/** What either end may know of the message at the end. */
function expectAgreement({ accepted, verdicts, session, errors }: Outcome, at: string): void {
  const [verdict] = verdicts;
  if (verdict?.verdict === 'delivered') expect(accepted, at).toBe(1);
  if (verdict?.verdict === 'deferred') expect(accepted, at).toBe(0);
  expect(['delivered', 'deferred', 'unknown', undefined], at).toContain(verdict?.verdict);
  for (const error of errors) expect(error, at).toHaveProperty('name', 'SessionError');
  // Nobody's handlers have failed.
  expect(session.errors, at).toEqual([]);
}

describe.each([false, true])('at each step (later: %s)', (late) => {
  it('a shutdown of the server ends both sessions in good order', async () => {
    for (const at of everyStep) {
      const outcome = await run({ at, late, stop: ({ server }) => server.shutdown() });
      const where = `at step ${at}, ${everyState[at]}`;
      expectAgreement(outcome, where);
      // The client is told, and never left in doubt of its message.
      expect(outcome.verdicts[0]?.verdict, where).not.toBe('unknown');
      expect(outcome.session.closings, where).toEqual([undefined]);
    }
  });

  it('an abort of the server closes both ends, for its reason', async () => {
    for (const at of everyStep) {
      const outcome = await run({ at, late, stop: ({ server }) => server.abort(reason) });
      expectAgreement(outcome, `at step ${at}, ${everyState[at]}`);
      expect([[reason], [undefined]]).toContainEqual(outcome.session.closings);
    }
  });

  it('an abort of the client closes both ends', async () => {
    for (const at of everyStep) {
      const outcome = await run({ at, late, stop: ({ client }) => client.abort(reason) });
      expectAgreement(outcome, `at step ${at}, ${everyState[at]}`);
      for (const error of outcome.errors) {
        if (error instanceof Error && error.cause !== undefined) expect(error.cause).toBe(reason);
      }
    }
  });

  it('a shutdown from within a shutdown, and an abort behind it, are as good as one', async () => {
    for (const at of everyStep) {
      const outcome = await run({
        at,
        late,
        stop({ server }) {
          server.shutdown();
          server.shutdown();
          server.abort(reason);
          server.shutdown();
        },
      });
      expectAgreement(outcome, `at step ${at}, ${everyState[at]}`);
    }
  });
});
