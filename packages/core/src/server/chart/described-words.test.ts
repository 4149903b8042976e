import { describe, expect, it } from 'vitest';
import type {
  ActionDescription,
  ChartDescription,
  TransitionDescription,
} from '../../chart/description/describe.js';
import { withServerWords } from './described-words.js';

const action = (name: string, params?: ActionDescription['params']): ActionDescription => ({
  kind: 'effect',
  name,
  ...(params !== undefined && { params }),
});

/** A chart of one state that asks a question, with one transition. */
function described(
  transition: Partial<TransitionDescription>,
  entry: readonly ActionDescription[] = [],
): TransitionDescription | undefined {
  const chart: ChartDescription = {
    id: 'server',
    root: {
      path: '',
      key: 'server',
      kind: 'atomic',
      entry,
      exit: [],
      deadlines: [],
      states: [],
      transitions: [
        { id: '0', trigger: { kind: 'event', type: 'other' }, reenter: false, actions: [], ...transition },
      ],
    },
  };
  return withServerWords(chart).root.transitions[0];
}

describe('what the client says', () => {
  it.each([
    ['command.MAIL', ['MAIL']],
    ['command.*', ['…']],
    ['command.extension', ['…']],
    ['endOfMailData', ['text', '.']],
    ['cancel', ['*']],
  ])('is by the event: %s', (type, commands) => {
    expect(described({ trigger: { kind: 'event', type } })?.commands).toEqual(commands);
  });

  it('is absent where an event is of the application, or time is up', () => {
    expect(described({})).not.toHaveProperty('commands');
    expect(described({ trigger: { kind: 'deadline', delay: 'idle' } })).not.toHaveProperty('commands');
  });
});

describe('what the server replies', () => {
  const asks = (question: string) => [action('other'), action('ask', { question })];

  it('is the reply that the chart names, with its first line', () => {
    expect(described({ actions: [action('reply', { reply: 'binaryByChunksOnly' })] })?.replies).toEqual([
      { code: '503', text: expect.any(String), origin: 'fixed' },
    ]);
  });

  it.each([
    ['accepted', 'mail', '250'],
    ['rejected', 'mail', '550'],
    ['accepted', 'data', '354'],
    ['rejected', 'data', '554'],
  ])('is the default answer, %s, to the question of the state: %s', (type, question, code) => {
    const { replies } =
      described({ trigger: { kind: 'event', type }, actions: [action('answer')] }, asks(question)) ?? {};
    expect(replies).toEqual([{ code, text: expect.any(String), origin: 'default' }]);
  });

  it('is 421 where the answer ends the session', () => {
    expect(described({ guard: 'endsSession', actions: [action('answer')] }, asks('mail'))?.replies).toEqual([
      { code: '421', origin: 'default' },
    ]);
  });

  it.each([
    [action('challenge'), undefined, 'other', { code: '334', origin: 'fixed' }],
    [action('admitClient'), undefined, 'other', { code: '235', text: expect.any(String), origin: 'default' }],
    [action('turnAway'), undefined, 'other', { code: '535', text: expect.any(String), origin: 'default' }],
    [action('turnAway'), 'undecidable', 'other', { code: '454', text: expect.any(String), origin: 'fixed' }],
    [
      action('turnAway'),
      'undecidable',
      'rejected',
      { code: '454', text: expect.any(String), origin: 'default' },
    ],
  ])('is in an AUTH exchange: %o, %s', (given, guard, type, reply) => {
    const found = described({
      ...(guard !== undefined && { guard }),
      trigger: { kind: 'event', type },
      actions: [given],
    });
    expect(found?.replies).toEqual([reply]);
  });

  it.each([
    ['cutOff', undefined, '421'],
    ['cutOff', 'tooLarge', '421'],
    ['other', 'declaredTooLarge', '552'],
    ['other', 'tooLarge', '552'],
    ['other', 'malformed', '554'],
    ['other', 'another', '5yz'],
    ['other', undefined, '5yz'],
  ])('is what the event brings, by what is always the same in it: %s, %s', (type, guard, code) => {
    for (const name of ['refuse', 'refuseMessage']) {
      const found = described({
        ...(guard !== undefined && { guard }),
        trigger: { kind: 'event', type },
        actions: [action(name)],
      });
      expect(found?.replies).toEqual([{ code, origin: 'event' }]);
    }
  });

  it('is one for each action that replies, and absent where none does', () => {
    const actions = [action('challenge'), action('other'), action('refuse')];
    expect(described({ actions })?.replies?.map(({ code }) => code)).toEqual(['334', '5yz']);
    expect(described({ actions: [action('other')] })).not.toHaveProperty('replies');
    expect(
      described({ trigger: { kind: 'deadline', delay: 'idle' }, actions: [action('refuse')] })?.replies,
    ).toEqual([{ code: '5yz', origin: 'event' }]);
  });
});
