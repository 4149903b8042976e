/**
 * Sessions against a server of any whim: what holds whatever it does.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientEvent } from '../contract/messages.js';
import { Dialogue, failureIn, type Shown, verdictsIn } from '../dialogue.test-support.js';
import type { Verdict } from '../envelope/outcomes.js';
import { type Course, converse, limits, type Plot, type Whim } from '../naive-server.test-support.js';

const whim: fc.Arbitrary<Whim> = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom<Whim>('accept', 'accept', 'accept', 'lines') },
  { weight: 6, arbitrary: fc.constantFrom<Whim>('codes', 'empty lines', 'echo') },
  { weight: 12, arbitrary: fc.constantFrom<Whim>(450, 500, 550, 552) },
  { weight: 2, arbitrary: fc.constantFrom<Whim>(221, 421, 'mismatch', 'surplus', 'surplus 421') },
  { weight: 2, arbitrary: fc.constantFrom<Whim>('surplus 450', 'surplus 550') },
  { weight: 2, arbitrary: fc.constantFrom<Whim>('endless', 'overlong', 'classes', 'garbage') },
  { weight: 2, arbitrary: fc.constantFrom<Whim>('silence', 'close', 'cut') },
);

/** The greeting and the reply to EHLO are mostly friendly: most of what is of interest comes behind them. */
const whims = fc
  .tuple(
    fc.oneof({ weight: 15, arbitrary: fc.constant<Whim>('accept') }, { weight: 1, arbitrary: whim }),
    fc.oneof({ weight: 15, arbitrary: fc.constant<Whim>('accept') }, { weight: 1, arbitrary: whim }),
    fc.array(whim, { maxLength: 30 }),
  )
  .map(([greeting, hello, rest]) => [greeting, hello, ...rest]);

const messages = fc.array(
  fc.record({
    recipients: fc.integer({ min: 1, max: 6 }),
    sending: fc.oneof(
      { weight: 8, arbitrary: fc.constant('whole' as const) },
      { weight: 1, arbitrary: fc.constantFrom('abort' as const, 'stall' as const, 'unfit' as const) },
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

const plots: fc.Arbitrary<Plot> = fc.record({
  options: fc.record({
    protocol: fc.constantFrom('smtp', 'smtp', 'lmtp'),
    mailDataBy: fc.constantFrom('data', 'bdat'),
  }),
  keywords: fc.subarray(['SIZE', 'PIPELINING', 'CHUNKING']),
  whims,
  messages,
});

const windows = fc.constantFrom(1, 60, 100, 200, 4096);

const whole = (text: string): readonly string[] => (text === '' ? [] : [text]);
const byOctet = (text: string): readonly string[] => [...text];

/** All outputs, writes that follow each other as one. */
function merged(outputs: readonly Shown[]): Shown[] {
  const result: Shown[] = [];
  for (const output of outputs) {
    const last = result.at(-1);
    if (typeof output === 'string' && typeof last === 'string') result.splice(-1, 1, last + output);
    else result.push(output);
  }
  return result;
}

const events = (outputs: readonly Shown[], type: ClientEvent['type'] | 'closed') =>
  outputs.filter((output) => typeof output !== 'string' && output.type === type);

/** The codes of the replies in what the server said, as far as it is well-formed and within the limits. */
function codesIn(heard: string): number[] {
  const codes: number[] = [];
  let reply: string[] = [];
  // The first line, which is no empty one, says what ends lines.
  const [, begin = ''] = /^[\r\n]*([^\n]*)/.exec(heard) ?? [];
  for (const line of heard.split(begin.endsWith('\r') ? '\r\n' : /\r?\n/).slice(0, -1)) {
    if (line === '') continue;
    const [, code, separator] = /^(\d{3})([ -])/.exec(line) ?? [];
    const tooMuch =
      reply.length === limits.maximumReplyLines || line.length + 2 > limits.maximumReplyLineLength;
    if (code === undefined || tooMuch) break;
    reply.push(code);
    if (separator === '-') continue;
    if (reply.some((each) => each[0] !== code[0])) break;
    codes.push(Number(code));
    reply = [];
  }
  return codes;
}

interface Transaction {
  readonly mail: number | undefined;
  readonly recipients: (number | undefined)[];
  data?: number | undefined;
  /** The reply that came before the final dot was written. */
  early?: number | undefined;
  /** The replies to the chunks that were not the last. */
  readonly chunks: (number | undefined)[];
  /** The final dot or the last chunk was written, and these are the replies to it. */
  end?: readonly (number | undefined)[];
}

/** A command at the beginning of what the client wrote, and its octets. */
function commandIn(rest: string, inMailData: boolean): { command: string; octets: number } | undefined {
  const end = (inMailData ? /(?:^|\r\n)\.\r\n/ : /\r\n/).exec(rest);
  if (end === null) return undefined;
  const line = end.index + end[0].length;
  if (inMailData) return { command: '.', octets: line };
  const [, size, last] = /^BDAT (\d+)( LAST)?\r\n/.exec(rest) ?? [];
  return { command: last ? '.' : rest.slice(0, 4), octets: line + Number(size ?? 0) };
}

/** What was said about each mail transaction, by counting alone: the n-th reply is that to the n-th command. */
function transactionsIn({ wrote, heard }: Course, lmtp: boolean): Transaction[] {
  const [, ...codes] = codesIn(heard);
  const transactions: Transaction[] = [];
  let rest = wrote;
  let over = false;
  let inMailData = false;
  let count = 0;
  /** The next reply, if it makes sense. A 421 is a reply to the message or a part of it as well. */
  const reply = (classes: string, ofMessage = false): number | undefined => {
    const code = codes[count++];
    const bye = !over && ofMessage && code === 421;
    over ||= code === undefined || code === 421 || code === 221 || !classes.includes(String(code).charAt(0));
    return over && !bye ? undefined : code;
  };
  for (;;) {
    const next = commandIn(rest, inMailData);
    const transaction = transactions.at(-1);
    if (next === undefined && inMailData && !over && transaction !== undefined) {
      transaction.early = codes[count];
    }
    if (next === undefined) return transactions;
    const { command, octets } = next;
    rest = rest.slice(octets);
    if (command === '.' && transaction !== undefined) {
      const accepted = transaction.recipients.filter((code) => code !== undefined && code < 400).length;
      inMailData = false;
      transaction.end = Array.from({ length: lmtp ? accepted : 1 }, () => reply('245', true));
      continue;
    }
    const code = reply(command === 'DATA' ? '345' : '245', command === 'BDAT');
    inMailData = command === 'DATA' && code !== undefined && code < 400;
    if (command === 'MAIL') transactions.push({ mail: code, recipients: [], chunks: [] });
    else if (command === 'RCPT') transaction?.recipients.push(code);
    else if (command === 'DATA' && transaction !== undefined) transaction.data = code;
    else if (command === 'BDAT') transaction?.chunks.push(code);
  }
}

/** The verdict that RFC 5321, RFC 3030, RFC 2033 and RFC 1047 leave for one recipient. */
function expected(transaction: Transaction, index: number, lmtp: boolean): Verdict['verdict'] {
  const { mail, recipients, data, early, chunks, end } = transaction;
  const refusal = (code: number) => (code < 500 ? 'deferred' : 'rejected');
  const recipient = recipients[index];
  if (mail !== undefined && mail >= 400) return refusal(mail);
  if (recipient !== undefined && recipient >= 400) return recipient === 552 ? 'deferred' : refusal(recipient);
  if (data !== undefined && data >= 400) return refusal(data);
  if (early !== undefined && early >= 400) return refusal(early);
  const refused = chunks.find((code) => code !== undefined && code >= 400);
  if (refused !== undefined) return refusal(refused);
  if (end === undefined) return 'deferred';
  const before = recipients.slice(0, index).filter((code) => code !== undefined && code < 400).length;
  // With LMTP too a 421 answers for all that have no reply.
  const code = lmtp ? (end[before] ?? end.find((each) => each === 421)) : end[0];
  if (code === undefined) return 'unknown';
  return code < 300 ? 'delivered' : refusal(code);
}

describe('whatever the server does', () => {
  it('each message gets the verdicts that its replies leave, and no others', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(plots, windows, (plot, maximumOctetsInFlight) => {
        const client = new Dialogue({ ...limits, ...plot.options, maximumOctetsInFlight });
        const course = converse(client, plot, whole);
        const verdicts = course.outputs.flatMap((output) =>
          typeof output !== 'string' && output.type === 'done'
            ? [verdictsIn([output]).map(({ verdict }) => verdict)]
            : [],
        );
        const lmtp = plot.options.protocol === 'lmtp';
        const transactions = transactionsIn(course, lmtp);
        expect(verdicts).toEqual(
          transactions.map((transaction, n) =>
            Array.from({ length: plot.messages[n]?.recipients ?? 0 }, (_, index) =>
              expected(transaction, index, lmtp),
            ),
          ),
        );
        for (const verdict of verdicts.flat()) reached.add(verdict);
      }),
      { numRuns: 3000 },
    );
    expect([...reached].sort()).toEqual(['deferred', 'delivered', 'rejected', 'unknown']);
  }, 180_000);

  it('the session ends, fails once at most, and announces it last', () => {
    fc.assert(
      fc.property(plots, (plot) => {
        const { outputs } = converse(new Dialogue({ ...limits, ...plot.options }), plot, whole);
        expect(events(outputs, 'failed').length).toBeLessThanOrEqual(1);
        expect(events(outputs, 'closed')).toHaveLength(1);
        expect(outputs.at(-1)).toEqual({ type: 'closed' });
        const failed = outputs.findIndex((output) => typeof output !== 'string' && output.type === 'failed');
        if (failed >= 0) expect(events(outputs.slice(failed), 'done')).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('no reply is waited for that no command asks for', () => {
    const talkative = plots.map((plot) => ({
      ...plot,
      whims: plot.whims.filter((each) => each !== 'silence'),
      messages: plot.messages.map((message) => ({ ...message, sending: 'whole' as const })),
    }));
    fc.assert(
      fc.property(talkative, windows, (plot, maximumOctetsInFlight) => {
        const { outputs } = converse(
          new Dialogue({ ...limits, ...plot.options, maximumOctetsInFlight }),
          plot,
          whole,
        );
        expect(failureIn(outputs)?.kind).not.toBe('timeout');
      }),
      { numRuns: 200 },
    );
  });

  it('the outputs do not depend on how its octets were cut into chunks', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(plots, windows, sizes, (plot, maximumOctetsInFlight, lengths) => {
        let turn = 0;
        const anyhow = (text: string): string[] => {
          const chunks: string[] = [];
          for (let from = 0; from < text.length; turn++) {
            const length = lengths[turn % lengths.length] ?? 1;
            chunks.push(text.slice(from, from + length));
            from += length;
          }
          return chunks;
        };
        const outputsOf = (cut: (text: string) => readonly string[]) =>
          merged(
            converse(new Dialogue({ ...limits, ...plot.options, maximumOctetsInFlight }), plot, cut).outputs,
          );
        const expectedOutputs = outputsOf(whole);
        expect(outputsOf(byOctet)).toEqual(expectedOutputs);
        expect(outputsOf(anyhow)).toEqual(expectedOutputs);
      }),
      { numRuns: 100 },
    );
  });

  it('no command is sent ahead of a reply unless PIPELINING was offered', () => {
    fc.assert(
      fc.property(plots, (plot) => {
        const client = new Dialogue({ ...limits, ...plot.options });
        const commandsOnly = { ...plot, keywords: ['SIZE', 'XPIPELINING', 'CHUNKING'] };
        converse(client, commandsOnly, byOctet, (output, server, heard) => {
          if (typeof output !== 'string') return;
          const replies = codesIn(server.said.slice(0, heard));
          expect(replies.length).toBeGreaterThanOrEqual(server.commands.length);
          if (/^(?:EHLO|HELO|MAIL|RCPT|DATA|RSET|QUIT)/.test(output))
            expect(output.split('\r\n')).toHaveLength(2);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('no more than maximumOctetsInFlight is sent ahead of replies, or one command', () => {
    let groups = 0;
    fc.assert(
      fc.property(plots, windows, (plot, maximumOctetsInFlight) => {
        const client = new Dialogue({ ...limits, ...plot.options, maximumOctetsInFlight });
        converse(client, { ...plot, keywords: ['PIPELINING'] }, byOctet, (output, server, heard) => {
          if (typeof output !== 'string' || !/^(?:MAIL|RCPT|DATA)/.test(output)) return;
          const inFlight = server.commands.slice(codesIn(server.said.slice(0, heard)).length);
          const octets = inFlight.reduce((sum, length) => sum + length, output.length);
          const commands = inFlight.length + output.split('\r\n').length - 1;
          if (commands > 1) {
            groups += 1;
            expect(octets).toBeLessThanOrEqual(maximumOctetsInFlight);
          }
        });
      }),
      { numRuns: 100 },
    );
    expect(groups).toBeGreaterThan(100);
  });
});
