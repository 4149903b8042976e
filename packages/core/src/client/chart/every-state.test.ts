/**
 * Every leaf state × every input: what the application may do there, and where what the server does leads.
 */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../errors.js';
import { MailDataError } from '../../wire/mail-data/mail-data-encoder.js';
import {
  begun,
  CHUNKFUL,
  chunking,
  Dialogue,
  delivered,
  ended,
  envelopeFor,
  failureIn,
  mailbox,
  octetsOf,
  type Shown,
  securing,
  type TimelessInput,
  TLS,
  withPassword,
} from '../dialogue.test-support.js';
import type { ClientState } from './chart-events.js';

function heard(...lines: string[]): Dialogue {
  const client = new Dialogue();
  for (const line of lines) client.hear(line);
  return client;
}

/** A session in each state. */
const sessions: Readonly<Record<ClientState, () => Dialogue>> = {
  'session.greeting': () => new Dialogue(),
  'session.identifying': () => heard('220 b'),
  'session.fallingBack': () => heard('220 b', '500 What?'),
  'session.startingTls': () => new Dialogue({ startTls: 'required' }).ready('STARTTLS'),
  'session.securing': () => securing(),
  'session.authentication.preparing': () => {
    const client = new Dialogue(withPassword());
    client.hear('220 b');
    client.hear('250-b', '250 AUTH SCRAM-SHA-256');
    return client;
  },
  'session.authentication.responding': () => new Dialogue(withPassword()).ready('AUTH PLAIN'),
  'session.substituting': () => new Dialogue({ xclient: { name: 'x' } }).ready('XCLIENT NAME'),
  'session.forwarding': () => new Dialogue({ xforward: { name: 'x' } }).ready('XFORWARD NAME'),
  'session.ready': () => new Dialogue().ready(),
  'session.inquiring': () => {
    const client = new Dialogue().ready();
    client.handle({ type: 'inquire', command: { verb: 'NOOP', argument: '' } });
    return client;
  },
  'session.transaction.mailing': () => begun(),
  'session.transaction.addressing': () => begun('250 OK'),
  'session.transaction.initiating': () => begun('250 OK', '250 OK'),
  'session.transaction.sending': () => new Dialogue().sending(),
  'session.transaction.chunking': () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    return client;
  },
  'session.transaction.holding': () => {
    const client = chunking();
    client.data(CHUNKFUL);
    return client;
  },
  'session.transaction.concluding': () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    client.end();
    return client;
  },
  'session.transaction.draining': () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    client.data(CHUNKFUL);
    client.hear('450 No');
    return client;
  },
  'session.transaction.abandoned': () => {
    const client = new Dialogue().sending();
    expect(() => client.data('\0')).toThrow(MailDataError);
    return client;
  },
  'session.transaction.terminating': () => ended(),
  'session.transaction.delivering': () => {
    const client = delivered(2);
    client.hear('250 OK');
    return client;
  },
  'session.resetting': () => begun('250 OK', '550 No'),
  'session.quitting': () => {
    const client = new Dialogue().ready();
    client.handle({ type: 'quit' });
    return client;
  },
  refused: () => heard('554 No'),
  cancelled: () => {
    const client = new Dialogue(withPassword()).ready('AUTH PLAIN');
    client.hear('334 ?');
    return client;
  },
  closing: () => heard('421 Closing'),
  closed: () => heard('garbage'),
};

const states = Object.keys(sessions) as ClientState[];

/** What the server, the connection and the clock may do. */
const happenings: Readonly<Record<string, (client: Dialogue) => Shown[]>> = {
  '2yz': (client) => client.hear('250 x'),
  '3yz': (client) => client.hear('354 x'),
  '4yz': (client) => client.hear('450 x'),
  '5yz': (client) => client.hear('550 x'),
  '421': (client) => client.hear('421 x'),
  '221': (client) => client.hear('221 x'),
  garbage: (client) => client.hear('x'),
  eof: (client) => client.handle({ type: 'eof' }),
  lost: (client) => client.handle({ type: 'lost' }),
  timeout: (client) => client.timeout(),
};

/** The state that each leads to, and `!` with the kind of the failure if the session failed thereby. */
const outcomes = `
               2yz              3yz              4yz              5yz
  greeting     identifying      closed!protocol  refused!refused  refused!refused
  identifying  ready            closed!protocol  refused!refused  refused!refused
  fallingBack  ready            closed!protocol  refused!refused  refused!refused
  startingTls  securing         closed!protocol  refused!refused  refused!refused
  securing     closed!protocol  closed!protocol  closed!protocol  closed!protocol
  preparing    closed!protocol  closed!protocol  closed!protocol  closed!protocol
  responding   ready            cancelled!protocol  refused!refused  refused!refused
  substituting identifying      closed!protocol  refused!refused  refused!refused
  forwarding   ready            closed!protocol  ready            ready
  ready        closed!protocol  closed!protocol  closed!protocol  closed!protocol
  inquiring    ready            closed!protocol  ready            ready
  mailing      addressing       closed!protocol  ready            ready
  addressing   initiating       closed!protocol  resetting        resetting
  initiating   closed!protocol  sending          resetting        resetting
  sending      closed!protocol  closed!protocol  closing!refused  closing!refused
  chunking     chunking         closed!protocol  resetting        resetting
  holding      chunking         closed!protocol  resetting        resetting
  concluding   terminating      closed!protocol  resetting        resetting
  draining     resetting        closed!protocol  resetting        resetting
  abandoned    closed!protocol  closed!protocol  closing!refused  closing!refused
  terminating  ready            closed!protocol  ready            ready
  delivering   ready            closed!protocol  ready            ready
  resetting    ready            closed!protocol  refused!refused  refused!refused
  quitting     closing          closed!protocol  closing!refused  closing!refused
  refused      closing          closing          closing          closing
  cancelled    refused          refused          refused          refused
  closing      closing          closing          closing          closing
  closed       closed           closed           closed           closed

               421              221              garbage          eof              lost             timeout
  greeting     closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  identifying  closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  fallingBack  closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  startingTls  closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  securing     closed!protocol  closed!protocol  closed!protocol  closed!tls       closed!tls       closed!tls
  preparing    closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  responding   closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  substituting closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  forwarding   closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  ready        closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      ready
  inquiring    closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  mailing      closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  addressing   closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  initiating   closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  sending      closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  chunking     closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  holding      closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  concluding   closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  draining     closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  abandoned    closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  terminating  closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  delivering   closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  resetting    closing!refused  closed!protocol  closed!protocol  closed!lost      closed!lost      closed!timeout
  quitting     closing!refused  closing          closed!protocol  closed!lost      closed!lost      closed!timeout
  refused      closing          closing          closed           closed           closed           closed
  cancelled    closing          refused          closed           closed           closed           closed
  closing      closing          closing          closing          closed           closed           closed
  closed       closed           closed           closed           closed           closed           closed
`
  .trim()
  .split(/\n\s*\n/)
  .flatMap((table) => {
    const [names = [], ...rows] = table.split('\n').map((line) => line.trim().split(/\s+/));
    return rows.flatMap(([state, ...cells]) =>
      cells.map((cell, index) => [state, names[index], cell] as const),
    );
  });

const leafOf = (state: ClientState) => state.split('.').at(-1);

describe('in every state', () => {
  it('each thing that the server does leads to one defined place', () => {
    const found = states.flatMap((state) =>
      Object.entries(happenings).map(([name, happen]) => {
        const client = sessions[state]();
        expect(client.session.state).toBe(state);
        const failure = failureIn(happen(client));
        const leaf = leafOf(client.session.state);
        return [leafOf(state), name, failure === undefined ? leaf : `${leaf}!${failure.kind}`];
      }),
    );
    expect(found.sort()).toEqual([...outcomes].sort());
  });

  it('the end gives one verdict for a message under way, one failure at most, and closes once', () => {
    for (const state of states) {
      for (const [name, happen] of Object.entries(happenings)) {
        const client = sessions[state]();
        const underWay = state.startsWith('session.transaction') || state === 'session.resetting';
        const outputs = [
          ...happen(client),
          ...client.handle({ type: 'lost' }),
          ...client.handle({ type: 'lost' }),
        ];
        const types = outputs.map((output) => (typeof output === 'string' ? 'write' : output.type));
        expect(types.filter((type) => type === 'done')).toHaveLength(underWay ? 1 : 0);
        const fails =
          state.startsWith('session') && !(state === 'session.quitting' && ['2yz', '221'].includes(name));
        expect(types.filter((type) => type === 'failed')).toHaveLength(fails ? 1 : 0);
        expect(types.filter((type) => type === 'closed')).toHaveLength(state === 'closed' ? 0 : 1);
        if (underWay) expect(types.indexOf('done')).toBeLessThan(types.indexOf('failed'));
        expect(client.session.state).toBe('closed');
        expect(client.session.nextDeadline()).toBeUndefined();
      }
    }
  });
});

describe('what the application may not do', () => {
  const inputs: readonly TimelessInput[] = [
    { type: 'send', envelope: envelopeFor(1) },
    { type: 'mailData', bytes: octetsOf('x') },
    { type: 'endOfMailData' },
    { type: 'inquire', command: { verb: 'NOOP', argument: '' } },
    { type: 'quit' },
    { type: 'tlsEstablished', tls: TLS },
    { type: 'tlsFailed' },
  ];
  const allowed: Partial<Record<ClientState, readonly string[]>> = {
    'session.ready': ['send', 'inquire', 'quit'],
    'session.transaction.sending': ['mailData', 'endOfMailData'],
    'session.transaction.chunking': ['mailData', 'endOfMailData'],
    'session.securing': ['tlsEstablished', 'tlsFailed'],
  };

  it.each(states.filter((state) => state !== 'closed'))('in %s is thrown, and changes nothing', (state) => {
    for (const input of inputs) {
      const client = sessions[state]();
      if (allowed[state]?.includes(input.type)) {
        expect(() => client.handle(input)).not.toThrow();
        continue;
      }
      const deadline = client.session.nextDeadline();
      expect(() => client.handle(input)).toThrow(LocalProtocolError);
      expect(() => client.handle(input)).toThrow(`${input.type} came in state ${state}; allowed there: `);
      expect(client.session.state).toBe(state);
      expect(client.session.nextDeadline()).toBe(deadline);
      expect(client.session.poll()).toBeUndefined();
    }
  });

  it('is passed over once the session is closed: its end was announced', () => {
    for (const input of inputs) expect(sessions.closed().handle(input)).toEqual([]);
  });

  it('is to hand in what nothing was computed for, while the session needs it; else it may come too late', () => {
    const computed = { type: 'computed', result: new Uint8Array(1) } as const;
    for (const state of states) {
      const client = sessions[state]();
      if (state === 'session.authentication.preparing' || !state.startsWith('session')) {
        expect(() => client.handle(computed)).not.toThrow();
      } else
        expect(() => client.handle(computed)).toThrow(`computed came in state ${state}; allowed there: `);
    }
  });

  it('is told with what would be allowed', () => {
    const inGreeting = 'send came in state session.greeting; allowed there: only to wait';
    expect(() => new Dialogue().send()).toThrow(inGreeting);
    expect(() => new Dialogue().ready().end()).toThrow('allowed there: send, inquire, quit');
    expect(() => new Dialogue().sending().send()).toThrow('allowed there: mailData, endOfMailData');
  });

  it('is to send to nobody', () => {
    const client = new Dialogue().ready();
    expect(() => client.send(0)).toThrow(LocalProtocolError);
    expect(client.session.state).toBe('session.ready');
  });

  it('is to declare a size that is none, where the server offers SIZE (RFC 1870 §3)', () => {
    const client = new Dialogue().ready('SIZE');
    const send = (size: number) =>
      client.handle({ type: 'send', envelope: { ...envelopeFor(1), parameters: { size } } });
    for (const size of [-1, 1.5, Number.NaN]) {
      expect(() => send(size)).toThrow(LocalProtocolError);
      expect(() => send(size)).toThrow(`The size ${size} is no number of octets`);
      expect(() => send(size)).toThrow('allowed there: addresses of RFC 5321 §4.1.2 and valid parameters');
    }
    expect(client.session.state).toBe('session.ready');
    expect(send(0)).toEqual(['MAIL FROM:<s@a.example> SIZE=0\r\n']);
  });

  it.each(['a>\r\nDATA@b.example', 'a@b.example>\r\nDATA', 'a@'])(
    'is to send from or to %j, which cannot be written',
    (address) => {
      const client = new Dialogue().ready();
      const good = mailbox('s@a.example');
      const wrong = mailbox(address);
      for (const envelope of [
        { reversePath: wrong, recipients: [good] },
        { reversePath: good, recipients: [good, wrong] },
      ]) {
        const send = () => client.handle({ type: 'send', envelope });
        expect(send).toThrow(LocalProtocolError);
        expect(send).toThrow('allowed there: addresses of RFC 5321 §4.1.2');
      }
      expect(client.session.state).toBe('session.ready');
      expect(client.send()).toEqual(['MAIL FROM:<s@a.example>\r\n']);
    },
  );
});
