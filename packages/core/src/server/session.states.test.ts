import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import { EXPORTER } from '../sasl/running.test-support.js';
import type { ServerState } from './chart/chart-events.js';
import type { ServerSessionOptions } from './contract/options.js';
import type { Question } from './decisions/questions.js';
import { accept, answering, base64, Dialogue, hangUp, reject } from './dialogue.test-support.js';
import { serverTable } from './server-table.js';

/** Small limits, so that random walks meet them. */
const limits: ServerSessionOptions = {
  maximumMessageSize: 30,
  maximumRecipients: 2,
  maximumErrors: 4,
  maximumCommandLength: 40,
  startTls: 'offered',
  authentication: { mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'], allowInsecure: true },
  trusted: true,
  extensions: [...standardExtensions, etrn, { keyword: 'XVERB', verbs: ['XVERB'] }],
};

function asking(kind: Question['kind'], ...lines: string[]): Dialogue {
  const dialogue = new Dialogue({ ...limits, application: answering({ [kind]: undefined }) });
  dialogue.say(...lines);
  return dialogue;
}

const ENVELOPE = ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>'];

/** A dialogue in each of the leaf states. Only the kind of question that is open there stays open later. */
const inState: { readonly [State in ServerState]: () => Dialogue } = {
  connecting: () => asking('connect'),
  refused: () => new Dialogue({ ...limits, application: answering({ connect: reject }) }),
  'session.greeted': () => new Dialogue(limits),
  'session.identifying': () => asking('hello', 'EHLO c'),
  'session.verifying': () => asking('verify', 'VRFY x'),
  'session.expanding': () => asking('expand', 'EXPN x'),
  'session.helping': () => asking('help', 'HELP'),
  'session.turning': () => asking('etrn', 'EHLO c', 'ETRN x'),
  'session.extending': () => asking('extension', 'EHLO c', 'XVERB'),
  'session.permittingTls': () => asking('startTls', 'EHLO c', 'STARTTLS'),
  'session.securing': () => {
    const dialogue = new Dialogue(limits).ready();
    dialogue.say('STARTTLS');
    return dialogue;
  },
  'session.authenticating.challenged': () => {
    const dialogue = new Dialogue(limits).ready();
    dialogue.say('AUTH PLAIN');
    return dialogue;
  },
  'session.authenticating.computing': () => {
    const dialogue = new Dialogue({ ...limits, compute: null }).ready();
    dialogue.say('AUTH CRAM-MD5');
    return dialogue;
  },
  'session.authenticating.retrieving': () =>
    asking('credentials', 'EHLO c', `AUTH SCRAM-SHA-256 ${base64('n,,n=u,r=x')}`),
  'session.authenticating.judging': () => asking('authenticate', 'EHLO c', `AUTH PLAIN ${base64('\0u\0p')}`),
  'session.ready': () => new Dialogue(limits).ready(),
  'session.transaction.opening': () => asking('mail', ...ENVELOPE),
  'session.transaction.opened': () => new Dialogue(limits).opened(),
  'session.transaction.addressing': () => asking('rcpt', ...ENVELOPE),
  'session.transaction.addressed': () => new Dialogue(limits).addressed(),
  'session.transaction.initiating': () => asking('data', ...ENVELOPE, 'DATA'),
  'session.transaction.initiatingChunks': () => asking('data', ...ENVELOPE, 'BDAT 5', 'abc'),
  'session.transaction.receivingChunk': () => {
    const dialogue = new Dialogue(limits).addressed();
    dialogue.say('BDAT 9 LAST', 'abc');
    return dialogue;
  },
  'session.transaction.chunked': () => {
    const dialogue = new Dialogue(limits).addressed();
    dialogue.say('BDAT 5', 'abc');
    return dialogue;
  },
  'session.transaction.receiving': () => new Dialogue(limits).receiving(),
  'session.transaction.committing': () => asking('message', ...ENVELOPE, 'DATA', 'Hello', '.'),
  closing: () => {
    const dialogue = new Dialogue(limits);
    dialogue.say('QUIT');
    return dialogue;
  },
  closed: () => {
    const dialogue = new Dialogue(limits);
    dialogue.handle({ type: 'lost' });
    return dialogue;
  },
};

const deciding = new Map<string, Question['kind']>([
  ['connecting', 'connect'],
  ['session.identifying', 'hello'],
  ['session.verifying', 'verify'],
  ['session.expanding', 'expand'],
  ['session.helping', 'help'],
  ['session.turning', 'etrn'],
  ['session.extending', 'extension'],
  ['session.permittingTls', 'startTls'],
  ['session.authenticating.retrieving', 'credentials'],
  ['session.authenticating.judging', 'authenticate'],
  ['session.transaction.opening', 'mail'],
  ['session.transaction.initiatingChunks', 'data'],
  ['session.transaction.addressing', 'rcpt'],
  ['session.transaction.initiating', 'data'],
  ['session.transaction.committing', 'message'],
]);

/** An input, under a name to be read when it fails. */
interface Move {
  readonly name: string;
  readonly make: (dialogue: Dialogue) => void;
}

const lines = [
  ...[
    'EHLO c',
    'HELO c',
    'MAIL FROM:<a@b>',
    'RCPT TO:<c@d>',
    'DATA',
    'RSET',
    'NOOP',
    'VRFY x',
    'EXPN x',
    'HELP',
  ],
  ...[
    'QUIT',
    'FOO',
    'EHLO',
    'MAIL FROM:<a@b> X=1',
    'MAIL FROM:<a@b> SIZE=31',
    'RCPT TO:<c@d> X=1',
    '.',
    'a\nb',
  ],
  ...[
    'LHLO c',
    'STARTTLS',
    'AUTH PLAIN',
    'AUTH LOGIN',
    'AUTH CRAM-MD5',
    'AUTH X',
    'AUTH PLAIN =',
    '*',
    'eA==',
  ],
  `AUTH PLAIN ${base64('\0u\0p')}`,
  `AUTH SCRAM-SHA-256 ${base64('n,,n=u,r=x')}`,
  ...['BDAT 5\r\nabc', 'BDAT 5 LAST\r\nabc', 'BDAT 40\r\nabc', 'BDAT 2 LAST\r\na\nQUIT', 'BDAT 0', 'BDAT x'],
  ...['ETRN x', 'XVERB y', 'XCLIENT NAME=c', 'XCLIENT LOGIN=u', 'XFORWARD NAME=c', 'XCLIENT c'],
  ...['x'.repeat(100), 'DATA\r\nHello\r\n.', 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA'],
];

const moves: readonly Move[] = [
  ...lines.map((line): Move => ({ name: `the line ${JSON.stringify(line)}`, make: (on) => on.say(line) })),
  { name: 'garbage', make: (on) => on.octets('\xff\0\r\n\n.\r\n\r') },
  { name: 'part of a line', make: (on) => on.octets('NO') },
  { name: 'no octets', make: (on) => on.octets('') },
  { name: 'acceptance', make: (on) => on.answer(accept) },
  { name: 'rejection', make: (on) => on.answer(reject) },
  { name: 'rejection by 421', make: (on) => on.answer(hangUp) },
  {
    name: 'an answer that contradicts itself',
    make: (on) => on.answer({ decision: 'accept', reply: { code: 550, lines: ['No'] } }),
  },
  { name: 'a computation', make: (on) => on.handle({ type: 'computed', result: new Uint8Array(32) }) },
  { name: 'a failed computation', make: (on) => on.handle({ type: 'computed', result: undefined }) },
  { name: 'TLS', make: (on) => on.handle({ type: 'tlsEstablished', tls: EXPORTER }) },
  { name: 'a failed TLS handshake', make: (on) => on.handle({ type: 'tlsFailed' }) },
  { name: 'the end of input', make: (on) => on.handle({ type: 'eof' }) },
  { name: 'the loss of the connection', make: (on) => on.handle({ type: 'lost' }) },
  { name: 'a host that reads no more', make: (on) => on.handle({ type: 'holdBack' }) },
  { name: 'a host that reads on', make: (on) => on.handle({ type: 'readOn' }) },
  { name: 'an HTTP request', make: (on) => on.say('POST / HTTP/1.1') },
  { name: 'a shutdown', make: (on) => on.handle({ type: 'shutdown' }) },
  { name: 'a deadline', make: (on) => on.timeoutAt(on.session.nextDeadline() ?? on.now) },
  { name: 'a timeout before its time', make: (on) => on.handle({ type: 'timeout' }) },
];

/** Makes a move: it is either taken, or refused as the fault of the caller and then changes nothing. */
function make(move: Move, dialogue: Dialogue): void {
  const { state, question } = dialogue.session;
  const outputs = dialogue.outputs.length;
  try {
    move.make(dialogue);
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
    expect([dialogue.session.state, dialogue.session.question, dialogue.outputs.length]).toEqual([
      state,
      question,
      outputs,
    ]);
  }
}

/** What must hold between any two inputs. */
function faultsOf({ session, outputs, replies }: Dialogue): string[] {
  const faults: string[] = [];
  const unless = (holds: boolean, fault: string) => {
    if (!holds) faults.push(`${fault} in ${session.state}`);
  };
  const types = outputs.map(({ type }) => type);
  const count = (type: string) => types.filter((each) => each === type).length;
  const closed = session.state === 'closed';

  unless(serverTable.leaves.includes(session.state), 'no such state');
  unless(session.question?.kind === deciding.get(session.state), 'a question that does not fit the state');
  const computing = session.state === 'session.authenticating.computing';
  unless(session.wantsInput === (session.question === undefined && !computing && !closed), 'wantsInput');
  unless((session.nextDeadline() === undefined) === closed, 'a deadline, or none');

  unless(count('closed') === (closed ? 1 : 0), 'closed is given once, and only then');
  unless(!closed || types.at(-1) === 'closed', 'output after closed');
  unless(count('close') <= 1, 'close is given once');
  if (types.includes('close')) {
    const after = types.slice(types.indexOf('close') + 1);
    unless(
      after.every((type) => type === 'closed'),
      'output after close',
    );
  }
  unless(
    replies.every((line) => /^[2-5]\d\d[ -]/.test(line)),
    'a line that is no reply',
  );
  // Each `mailData` is followed by the question about the message, or taken back.
  const fates = outputs.flatMap((output) => {
    if (output.type === 'mailData') return ['pending'];
    if (output.type === 'abandonMailData') return ['settled'];
    return output.type === 'ask' && output.question.kind === 'message' ? ['settled'] : [];
  });
  unless(
    fates.at(-1) !== 'pending' || /receiving|receivingChunk|chunked/.test(session.state),
    'mail data left behind',
  );
  return faults;
}

describe('the server session', () => {
  it.each(Object.entries(inState))('takes or refuses any input in %s', (state, start) => {
    expect(start().session.state).toBe(state);
    for (const move of moves) {
      const dialogue = start();
      make(move, dialogue);
      expect([move.name, ...faultsOf(dialogue)]).toEqual([move.name]);
    }
  });

  it.each(Object.entries(inState))('can be brought to an end from %s, whatever came before', (_, start) => {
    for (const move of moves) {
      for (const last of [{ type: 'lost' } as const, { type: 'timeout' } as const]) {
        const dialogue = start();
        make(move, dialogue);
        // One deadline ends the session, the next the wait for the client.
        for (let deadline = 0; deadline < 2; deadline++) {
          dialogue.now = dialogue.session.nextDeadline() ?? dialogue.now;
          dialogue.handle(last);
        }
        expect([move.name, dialogue.session.state, ...faultsOf(dialogue)]).toEqual([move.name, 'closed']);
      }
    }
  });

  it('stays in order on random walks, with an application that answers early, late or never', () => {
    const kinds: Question['kind'][] = [
      ...(['connect', 'hello', 'mail', 'rcpt', 'data', 'message', 'verify', 'expand', 'help'] as const),
      ...(['startTls', 'credentials', 'authenticate', 'etrn', 'extension'] as const),
    ];
    // Moves that end a session are left out, or most walks would be short.
    const walk = fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(...moves.slice(0, -5)) },
        { weight: 1, arbitrary: fc.constantFrom(...moves.slice(-5)) },
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(walk, fc.subarray(kinds), fc.boolean(), (steps, late, lenient) => {
        const dialogue = new Dialogue({
          ...limits,
          lenient,
          maximumErrors: 20,
          application: answering(Object.fromEntries(late.map((kind) => [kind, undefined]))),
        });
        for (const step of steps) {
          make(step, dialogue);
          expect([step.name, ...faultsOf(dialogue)]).toEqual([step.name]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
