import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceHeader } from './header.js';
import { ladderOf } from './ladder/ladder.js';
import { readTrace, TraceReader, traceLine } from './reading.js';
import { deliveredBetween, TracedServer } from './traced-sessions.test-support.js';

const server = () => new TracedServer({ authentication: { allowInsecure: true } });
const { records } = server()
  .say('EHLO c.example', 'AUTH PLAIN', 'AGEAYg==', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>', 'DATA')
  .say('Hello', '.', 'QUIT')
  .end();
const header = traceHeader('server');
const text = [header, ...records].map(traceLine).join('');

describe('a trace', () => {
  it('is read as it was written', () => {
    const trace = readTrace(text);
    expect(trace.header).toEqual(header);
    expect(trace.sessions).toEqual([{ id: 's1', end: 'server', records }]);
    expect(trace.skipped).toEqual([]);
  });

  it('is read in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const reader = new TraceReader();
        const read = at.flatMap((from, index) => reader.push(text.slice(from, at[index + 1])));
        expect([...read, ...reader.end()].map(({ record }) => record)).toEqual(records);
      }),
      { numRuns: 30 },
    );
  });

  it('may be a JSON text sequence, and have CRLFs and empty lines', () => {
    const sequence = [header, ...records].map((entry) => `\u001e${JSON.stringify(entry)}\r\n\n`).join('');
    expect(readTrace(sequence)).toMatchObject({ sessions: [{ records }], skipped: [] });
  });

  it('may be torn in its last line', () => {
    const trace = readTrace(text.slice(0, -20));
    expect(trace.sessions[0]?.records).toEqual(records.slice(0, -1));
    expect(trace.skipped).toEqual([{ number: records.length + 1, reason: 'it is no JSON, or torn' }]);
  });

  it('may lack its beginning: the records say at which end they were made', () => {
    const { client } = deliveredBetween();
    const trace = readTrace(client.slice(3).map(traceLine).join(''));
    expect(trace.header).toBeUndefined();
    expect(new Set(trace.sessions.map(({ end }) => end))).toContain('client');
  });

  it('may go on under another header', () => {
    const both = deliveredBetween();
    const joined = [traceHeader('server'), ...both.server, traceHeader('client'), ...both.client].map(
      traceLine,
    );
    expect(readTrace(joined.join('')).sessions).toEqual([
      { id: 's', end: 'server', records: both.server },
      { id: 'c', end: 'client', records: JSON.parse(JSON.stringify(both.client)) },
    ]);
  });

  it.each([
    [
      '{"time":1,"seq":2,"group_id":"a","name":"quic:packet_sent","data":{}}',
      'a record that is not known here: quic:packet_sent',
    ],
    ['nonsense', 'it is no JSON, or torn'],
    ['[]', 'it is no record'],
    ['{"name":"smtp:data","data":{}}', 'smtp:data without time, seq or group_id'],
    [
      '{"time":1,"seq":2,"group_id":"a","name":"smtp:data","data":{"raw":{"length":"x"}}}',
      'smtp:data whose raw is not what it should be',
    ],
    [
      '{"time":1,"seq":2,"group_id":"a","name":"smtp:decision","data":{"about":"message"}}',
      'smtp:decision whose outcome is not what it should be',
    ],
    [
      '{"time":1,"seq":2,"group_id":"a","reference_time":{"wall_clock_time":1},"name":"smtp:data","data":{}}',
      'smtp:data whose reference_time is not what it should be',
    ],
    [
      '{"time":1,"seq":2,"group_id":"a","name":"toString","data":{}}',
      'a record that is not known here: toString',
    ],
  ])('leaves out %s, and says why', (line, reason) => {
    const trace = readTrace(`${text}${line}\n`);
    expect(trace.sessions[0]?.records).toEqual(records);
    expect(trace.skipped).toEqual([{ number: records.length + 2, reason }]);
  });

  it('may have a line that is longer than any record, of which nothing is remembered', () => {
    const reader = new TraceReader();
    const mebibyte = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 129; count += 1) expect(reader.push(mebibyte)).toEqual([]);
    expect(reader.push(`\n${text}`).map(({ record }) => record)).toEqual(records);
    expect(reader.skipped).toEqual([{ number: 1, reason: 'it is longer than any record' }]);
  });

  it('can be told whatever it holds: a value in the place of another breaks nothing', () => {
    const entries = records.map((record) => JSON.stringify(record));
    fc.assert(
      fc.property(
        fc.nat(entries.length - 1),
        fc.nat(400),
        fc.constantFrom('null', '0', '"x"', '[]', '{}', '-1'),
        (index, at, value) => {
          const line = entries[index] ?? '';
          const colon = line.indexOf(':', at);
          const changed =
            line.slice(0, colon + 1) + line.slice(colon + 1).replace(/^("[^"]*"|[\w.]+|\[\]|\{\})/, value);
          const lines = entries.map((entry, each) => (each === index ? changed : entry));
          for (const session of readTrace(lines.join('\n')).sessions) ladderOf(session);
        },
      ),
    );
  });
});
