import { describe, expect, it } from 'vitest';
import type {
  ChartDescription,
  StateDescription,
  TriggerDescription,
} from '../../chart/description/describe.js';
import { withClientWords } from './described-words.js';

/** A chart of one state, with one transition. */
function described(
  key: string,
  trigger: TriggerDescription = { kind: 'event', type: 'other' },
): StateDescription {
  const chart: ChartDescription = {
    id: 'client',
    root: {
      path: key,
      key,
      kind: 'atomic',
      entry: [],
      exit: [],
      deadlines: [],
      states: [],
      transitions: [{ id: '0', trigger, reenter: false, actions: [] }],
    },
  };
  return withClientWords(chart).root;
}

const repliesTo = (key: string, type: string) =>
  described(key, { kind: 'event', type }).transitions[0]?.replies;

// The commands of RFC 5321 §4.1.1, and the codes of success of §4.3.2; STARTTLS: RFC 3207 §4, AUTH: RFC 4954 §4,
// BDAT: RFC 3030 §2.
describe.each([
  ['greeting', undefined, '220'],
  ['identifying', ['EHLO'], '250'],
  ['fallingBack', ['HELO'], '250'],
  ['startingTls', ['STARTTLS'], '220'],
  ['responding', ['AUTH'], '235'],
  ['substituting', ['XCLIENT'], '220'],
  ['forwarding', ['XFORWARD'], '250'],
  ['inquiring', ['VRFY', 'EXPN', 'HELP', 'NOOP'], '2yz'],
  ['mailing', ['MAIL'], '250'],
  ['addressing', ['RCPT'], '250'],
  ['initiating', ['DATA'], '2yz'],
  ['sending', ['text'], '2yz'],
  ['chunking', ['BDAT'], '250'],
  ['holding', undefined, '250'],
  ['draining', undefined, '250'],
  ['concluding', undefined, '250'],
  ['abandoned', undefined, '250'],
  ['terminating', ['.'], '250'],
  ['delivering', undefined, '250'],
  ['resetting', ['RSET'], '250'],
  ['quitting', ['QUIT'], '221'],
  ['refused', ['QUIT'], '2yz'],
  ['cancelled', ['*'], '2yz'],
  ['another', undefined, '2yz'],
] as const)('in the state %s', (key, commands, success) => {
  it('the client says what it is there to say, or nothing', () => {
    if (commands === undefined) expect(described(key)).not.toHaveProperty('commands');
    else expect(described(key).commands).toEqual(commands);
  });

  it('the reply that leads on has the code of success', () => {
    expect(repliesTo(key, 'reply.success')).toEqual([{ code: success, origin: 'peer' }]);
  });
});

it.each([
  ['initiating', 'reply.intermediate', '354'],
  ['responding', 'reply.intermediate', '334'],
  ['mailing', 'reply.transient', '4yz'],
  ['mailing', 'reply.permanent', '5yz'],
  ['mailing', 'reply.*', 'any'],
  ['mailing', 'reply.421', '421'],
])('in the state %s, %s is %s', (key, type, code) => {
  expect(repliesTo(key, type)).toEqual([{ code, origin: 'peer' }]);
});

it('no reply triggers what the application does, nor what time does', () => {
  expect(described('mailing').transitions[0]).not.toHaveProperty('replies');
  expect(described('mailing', { kind: 'deadline', delay: 'mail' }).transitions[0]).not.toHaveProperty(
    'replies',
  );
});
