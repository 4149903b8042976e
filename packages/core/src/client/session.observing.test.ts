import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from './contract/options.js';
import { Dialogue, failureIn, octetsOf, withPassword } from './dialogue.test-support.js';
import type { ClientProtocolEvent } from './observing/protocol-events.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });

describe('an observed session', () => {
  it('reports each step before what it did', () => {
    const client = new Dialogue({ observe: true });
    const outputs = client.hear('220 b');
    expect(outputs[0]).toMatchObject({ type: 'observed', event: { type: 'timerSet' } });
    expect(outputs[1]).toMatchObject({
      type: 'observed',
      event: { type: 'reply', reply: reply(220, 'b'), state: 'session.greeting' },
    });
    expect(outputs[2]).toMatchObject({
      type: 'observed',
      event: {
        type: 'transition',
        event: 'reply.success',
        transition: 'session.greeting|reply.success|0',
        from: 'session.greeting',
        to: 'session.identifying',
        left: ['session.greeting'],
        entered: ['session.identifying'],
        effects: ['clearDeadline', 'announceGreeting', 'write', 'setDeadline'],
      },
    });
    expect(outputs).toContainEqual({ type: 'greeting', reply: reply(220, 'b') });
    expect(outputs).toContain('EHLO c.example\r\n');
  });
});

/** What an observer of these kinds is told of a session in which all goes well, and then QUIT. */
function told(observe: ClientSessionOptions['observe'] = true): ClientProtocolEvent[] {
  const client = new Dialogue({
    ...(observe !== undefined && { observe }),
    ...withPassword('pencil', { mechanisms: ['LOGIN'], allowInsecure: true }),
  });
  const outputs = [
    ...client.hear('220 b.example'),
    ...client.hear('250-b.example', '250 AUTH LOGIN'),
    ...client.hear('334 VXNlcm5hbWU6'),
    ...client.hear('334 UGFzc3dvcmQ6'),
    ...client.hear('235 Welcome'),
    ...client.send(),
    ...client.hear('250 OK'),
    ...client.hear('250 OK'),
    ...client.hear('354 Go on'),
    ...client.handle({ type: 'mailData', bytes: octetsOf('Hello\r\n') }),
    ...client.end(),
    ...client.hear('250 Taken'),
    ...client.handle({ type: 'quit' }),
    ...client.hear('221 Bye'),
  ];
  return outputs.flatMap((output) =>
    typeof output !== 'string' && output.type === 'observed' ? [output.event] : [],
  );
}

describe('an observer', () => {
  const kinds = [
    'command',
    'response',
    'reply',
    'transition',
    'timerSet',
    'timerCleared',
    'authentication',
    'message',
  ] as const;

  it.each(kinds)(
    'that wants one kind is told of that one, and what it would be told among all: %s',
    (kind) => {
      const all = told().filter(({ type }) => type === kind);
      expect(all.length).toBeGreaterThan(0);
      expect(told([kind])).toEqual(all);
    },
  );

  it('that wants nothing, or what does not happen, is told nothing', () => {
    expect(told(false)).toEqual([]);
    expect(told(['failed'])).toEqual([]);
  });

  it('is shown the commands, without the credentials', () => {
    const commands = told(['command']);
    expect(commands.map((event) => event.type === 'command' && event.verb)).toEqual([
      'EHLO',
      'AUTH',
      'MAIL',
      'RCPT',
      'DATA',
      'QUIT',
    ]);
    expect(JSON.stringify(told())).not.toContain(Buffer.from('pencil').toString('base64'));
    expect(JSON.stringify(told())).not.toContain('pencil');
  });

  it('is told of a message with its octets and verdicts', () => {
    expect(told(['message'])).toMatchObject([
      { type: 'message', size: 7, verdicts: [{ verdict: 'delivered', reply: { code: 250 } }] },
    ]);
  });

  it('is told by which mechanism and as whom the client authenticated, and how it went', () => {
    expect(told(['authentication'])).toMatchObject([
      { type: 'authentication', mechanism: 'LOGIN', username: 'user', outcome: 'accepted' },
    ]);
    const outcomeOf = (reply: string) => {
      const client = new Dialogue({
        observe: ['authentication'],
        ...withPassword('pencil', { mechanisms: ['PLAIN'], allowInsecure: true }),
      });
      client.offered('AUTH PLAIN');
      return client
        .hear(reply)
        .flatMap((output) =>
          typeof output !== 'string' && output.type === 'observed' && output.event.type === 'authentication'
            ? [output.event.outcome]
            : [],
        );
    };
    expect(outcomeOf('535 5.7.8 No')).toEqual(['refused']);
    expect(outcomeOf('454 4.7.0 Later')).toEqual(['unavailable']);
  });

  it('is told of the failure that ends a session, before the event', () => {
    const client = new Dialogue({ observe: ['failed'] }).ready();
    const outputs = client.hear('421 Bye');
    const failure = failureIn(outputs);
    expect(failure).toMatchObject({ kind: 'refused', phase: 'ready', reply: { code: 421 } });
    expect(outputs).toContainEqual({ type: 'observed', event: { type: 'failed', failure, time: 0 } });
  });
});

describe('the ending of a session', () => {
  it('is the event by which it left the states in which it goes on, and no later one', () => {
    const client = new Dialogue().ready();
    expect(client.session.ending).toBeUndefined();
    client.handle({ type: 'quit' });
    expect(client.session.ending).toBeUndefined();
    client.hear('221 Bye');
    const { ending } = client.session;
    expect(ending).toMatchObject({ event: 'reply.221', from: 'session.quitting', to: 'closing' });
    client.handle({ type: 'eof' });
    expect(client.session.state).toBe('closed');
    expect(client.session.ending).toEqual(ending);
  });
});
