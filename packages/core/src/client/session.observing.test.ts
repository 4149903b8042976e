import { describe, expect, it } from 'vitest';
import { Dialogue } from './dialogue.test-support.js';

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
