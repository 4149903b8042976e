import { expect, it } from 'vitest';
import { judge, type Records } from './judgement.js';

const given: Records = {
  accepted: new Set(['a@one.example', 'refused-b@one.example']),
  arrivals: new Map([['a@one.example', 2]]),
  notifications: new Map([['<id>', { to: 'sender@home.example', times: 2 }]]),
  bounced: new Set(['refused-b@one.example']),
  unknown: new Map([
    ['a@one.example', 1],
    ['sender@home.example', 1],
  ]),
  isRefused: (recipient) => recipient.startsWith('refused-'),
};

it('finds nothing where all arrived or bounced, and each duplicate was logged', () => {
  expect(judge(given)).toEqual([]);
});

it('finds what is lost, what has bounced without a reason, and duplicates that nothing explains', () => {
  expect(judge({ ...given, arrivals: new Map() })).toEqual(['lost: a@one.example']);
  expect(judge({ ...given, bounced: new Set() })).toEqual(['lost: refused-b@one.example']);
  expect(judge({ ...given, bounced: new Set([...given.bounced, 'a@one.example']) })).toEqual([
    'bounced without a reason: a@one.example',
  ]);
  expect(judge({ ...given, arrivals: new Map([['a@one.example', 3]]) })).toEqual([
    '2 duplicates for a@one.example, of which the log explains 1',
  ]);
  expect(judge({ ...given, unknown: new Map([['a@one.example', 1]]) })).toEqual([
    '1 duplicates for sender@home.example, of which the log explains 0',
  ]);
});
