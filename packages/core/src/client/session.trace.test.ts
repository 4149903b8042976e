import { describe, expect, it } from 'vitest';
import { Dialogue } from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });

describe('the trace', () => {
  it('reports each step before what it did', () => {
    const client = new Dialogue({ trace: true });
    expect(client.hear('220 b')).toEqual([
      {
        type: 'transition',
        event: 'reply.success',
        from: 'session.greeting',
        to: 'session.identifying',
        effects: ['clearDeadline', 'announceGreeting', 'write', 'setDeadline'],
      },
      { type: 'greeting', reply: reply(220, 'b') },
      'EHLO c.example\r\n',
    ]);
  });
});
