import { createHash } from 'node:crypto';
import { Secret } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { traceHeader } from '../header.js';
import type { RecordOf, TraceName, TraceRecord } from '../records.js';
import { deliveredBetween, TracedServer } from '../traced-sessions.test-support.js';

function named<Name extends TraceName>(records: readonly TraceRecord[], name: Name): RecordOf<Name>[] {
  return records.filter((record): record is RecordOf<Name> => record.name === name);
}

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');

describe('the header', () => {
  it('says the schema, the vantage point, and which machine ran', () => {
    expect(traceHeader('server', { name: 'mx.example' })).toEqual({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/x-ndjson',
      title: 'sansmtp',
      trace: {
        vantage_point: { type: 'server', name: 'mx.example' },
        event_schemas: [expect.stringMatching(/^urn:/)],
        common_fields: {
          time_format: 'relative_to_epoch',
          reference_time: { clock_type: 'monotonic', epoch: 'unknown' },
        },
        machine: { id: 'server', hash: expect.stringMatching(/^sha256:[\da-f]{64}$/) },
      },
    });
    expect(traceHeader('client').trace.machine.hash).not.toBe(traceHeader('server').trace.machine.hash);
  });
});

describe('the trace of a server', () => {
  it('begins with who connected, and the wall clock', () => {
    const [first] = new TracedServer().records;
    expect(first).toMatchObject({
      time: 1000,
      seq: 0,
      group_id: 's1',
      name: 'smtp:state_updated',
      data: {
        event: 'opened',
        new: 'connecting',
        connection: { peer: { address: '192.0.2.1', port: 40_000 } },
      },
      reference_time: { wall_clock_time: '2026-01-02T03:04:05.000Z' },
    });
  });

  it('counts its records, and each names the one that led to it', () => {
    const { records } = new TracedServer().say('EHLO c.example', 'DATA').wait(300_000).end();
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
    for (const { seq, cause } of records) if (cause !== undefined) expect(cause).toBeLessThan(seq);
    const at = (seq: number | undefined) => records[seq ?? -1];
    const [ehlo] = named(records, 'smtp:command_received');
    expect(at(ehlo?.cause)?.name).toBe('smtp:bytes_received');
    const steps = named(records, 'smtp:state_updated');
    const heard = steps.find(({ data }) => data.event === 'command.EHLO');
    expect(heard?.cause).toBe(ehlo?.seq);
    const decision = named(records, 'smtp:decision').find(
      ({ data }) => data.about === 'question' && data.question === 'hello',
    );
    expect(decision?.cause).toBe(heard?.seq);
    const accepted = steps.find(({ cause }) => cause === decision?.seq);
    expect(accepted?.data).toMatchObject({ event: 'accepted', new: 'session.ready' });
    expect(named(records, 'smtp:reply_sent')[1]?.cause).toBe(accepted?.seq);
    const timeout = steps.find(({ data }) => data.event === 'after idle');
    expect(at(timeout?.cause)).toMatchObject({
      name: 'smtp:timer_set',
      data: { timer: 'idle', state: 'session.ready', delay: 300_000 },
    });
  });

  it('has the guards that were asked, true and false, what the chart remembers since, and the RFC section', () => {
    const { records } = new TracedServer().say('EHLO c.example', 'DATA');
    const step = named(records, 'smtp:state_updated').at(-1);
    expect(step?.data).toMatchObject({
      event: 'command.DATA',
      transition: expect.stringContaining('command.DATA'),
      old: 'session.ready',
      new: 'session.ready',
      left: [],
      entered: [],
      effects: ['reply'],
      changes: [{ name: 'errors', before: 0, after: 1 }],
      description: 'RFC 5321 §3.3',
    });
    expect(step?.data.guards.length).toBeGreaterThan(1);
    expect(step?.data.guards.every(({ passed }) => !passed)).toBe(true);
  });

  it('has a command with its octets, and where its parts stand', () => {
    const { records } = new TracedServer().say('EHLO c.example', 'MAIL FROM:<ann@example.org> SIZE=12');
    expect(named(records, 'smtp:command_received')[1]?.data).toEqual({
      line: 'MAIL FROM:<ann@example.org> SIZE=12',
      verb: 'MAIL',
      state: 'session.ready',
      raw: { length: 37, data: hex('MAIL FROM:<ann@example.org> SIZE=12') },
      spans: [
        { part: 'verb', from: 0, to: 4 },
        { part: 'clause', from: 5, to: 10 },
        { part: 'path', from: 10, to: 27 },
        { part: 'keyword', from: 28, to: 32 },
        { part: 'value', from: 33, to: 35 },
      ],
    });
  });

  it('has a reply with its octets, and by what it goes', () => {
    const { records } = new TracedServer().say('EHLO c.example', 'DATA');
    const text = '503 5.5.1 Bad sequence of commands: send MAIL first\r\n';
    expect(named(records, 'smtp:reply_sent').at(-1)?.data).toMatchObject({
      code: 503,
      enhanced_code: '5.5.1',
      verb: 'DATA',
      state: 'session.ready',
      title: 'mailFirst',
      raw: { length: text.length, data: hex(text) },
      spans: [
        { part: 'code', from: 0, to: 3 },
        { part: 'enhancedCode', from: 4, to: 9 },
        { part: 'text', from: 10, to: text.length - 2 },
      ],
    });
  });

  it('has the length and the hash of a message, and nothing else of it', () => {
    const { records } = new TracedServer()
      .say('EHLO c.example', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>', 'DATA')
      .send('Subject: sec')
      .send('ret\r\n\r\n..x\r\n.\r\n');
    const message = 'Subject: secret\r\n\r\n.x\r\n';
    const hash = createHash('sha256').update(message).digest('hex');
    expect(named(records, 'smtp:data').map(({ data }) => data)).toEqual([
      { raw: { length: message.length }, hash: `sha256:${hash}`, complete: true },
    ]);
    expect(JSON.stringify(records)).not.toContain('secret');
    expect(named(records, 'smtp:decision').at(-1)?.data).toEqual({
      about: 'message',
      outcome: 'accepted',
      length: message.length,
    });
  });

  it('has what a message says where that was asked for', () => {
    const { records } = new TracedServer({}, undefined, { mailData: true })
      .say('EHLO c.example', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>', 'DATA')
      .say('Hello', '.');
    expect(named(records, 'smtp:data')[0]?.data.raw).toEqual({ length: 7, data: hex('Hello\r\n') });
  });

  it('has the length of a message that broke off', () => {
    const { records } = new TracedServer()
      .say('EHLO c.example', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>', 'DATA')
      .say('Hello')
      .end();
    expect(named(records, 'smtp:data')[0]?.data).toMatchObject({ raw: { length: 7 }, complete: false });
  });

  it('has lengths only of an AUTH exchange, and of what follows an AUTH that was refused', () => {
    const password = base64('\0ann\0pencil');
    const options = { authentication: { allowInsecure: true } };
    const { records } = new TracedServer(options).say(
      'EHLO c.example',
      `AUTH NTLM ${password}`,
      base64('ann'),
      base64('pencil'),
      'AUTH LOGIN',
      base64('ann'),
      base64('pencil'),
      'nonsense',
    );
    const text = JSON.stringify(records);
    for (const secret of [password, base64('ann'), base64('pencil'), 'pencil', hex(base64('pencil'))]) {
      expect(text).not.toContain(secret);
    }
    const lines = named(records, 'smtp:command_received').map(({ data }) => [data.line, data.raw]);
    expect(lines.slice(1)).toEqual([
      ['AUTH [21 octets]', { length: 28 }],
      ['[4 octets]', { length: 6 }],
      ['[8 octets]', { length: 10 }],
      ['AUTH LOGIN', { length: 12 }],
      ['[4 octets]', { length: 6 }],
      ['[8 octets]', { length: 10 }],
      ['nonsense', { length: 10, data: hex('nonsense') }],
    ]);
  });
});

describe('the traces of both ends', () => {
  it('tell of one delivery', () => {
    const { client, server } = deliveredBetween({}, (question) =>
      question.kind === 'rcpt' && question.forwardPath.localPart === 'eve'
        ? { decision: 'reject' }
        : { decision: 'accept' },
    );
    const codes = (records: readonly TraceRecord[]) =>
      records.flatMap((record) =>
        record.name === 'smtp:reply_received' || record.name === 'smtp:reply_sent' ? [record.data.code] : [],
      );
    expect(codes(client)).toEqual(codes(server));
    const sent = named(client, 'smtp:command_sent').map(({ data }) => data.raw.data);
    expect(sent).toEqual(named(server, 'smtp:command_received').map(({ data }) => data.raw.data));
    expect(named(client, 'smtp:data').map(({ data }) => data)).toEqual(
      named(server, 'smtp:data').map(({ data }) => data),
    );
    expect(named(client, 'smtp:decision').at(-1)?.data).toEqual({
      about: 'message',
      outcome: 'delivered, rejected',
      length: 21,
      recipients: [
        { address: 'bob@example.com', verdict: 'delivered' },
        { address: 'eve@example.com', verdict: 'rejected' },
      ],
    });
  });

  it('hold no credentials', () => {
    const authentication = {
      credentials: { kind: 'password' as const, username: 'ann', password: new Secret('pencil') },
      allowInsecure: true,
      mechanisms: ['PLAIN' as const],
    };
    const { client, server } = deliveredBetween({ authentication });
    const text = JSON.stringify([client, server]);
    expect(text).toContain('AUTH PLAIN [16 octets]');
    for (const secret of ['pencil', base64('\0ann\0pencil'), hex(base64('\0ann\0pencil'))]) {
      expect(text).not.toContain(secret);
    }
  });
});
