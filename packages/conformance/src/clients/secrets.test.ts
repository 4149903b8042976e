/** No rule quotes what a client answers to AUTH: findings are passed on. */
import { expect, it } from 'vitest';
import type { Task } from './contract.js';
import { connectionsOf, dialogueOf } from './conversation.js';
import { RULES } from './rules/index.js';

const SECRET = Buffer.from('\0probe\0pencil').toString('base64');
const encode = (text: string) => Buffer.from(text, 'latin1');

/** A client that does much wrong about AUTH, and then closes. */
function seenOf(sent: string, said: string, ahead: number) {
  const about = { connection: 1, said: encode(''), ahead: 0, secure: false, ended: false };
  const connections = connectionsOf([
    { ...about, moment: 'greeting', octets: encode(''), said: encode('554 No\r\n') },
    { ...about, moment: 'STARTTLS', octets: encode('STARTTLS\r\n'), said: encode('220 Go on\r\n') },
    { ...about, moment: 'AUTH', octets: encode(sent), said: encode(said), ahead, secure: true },
    { ...about, moment: 'AUTH', octets: encode(`${SECRET}\r\n`), said: encode('235 Yes\r\n'), secure: true },
    { ...about, moment: 'closed', octets: encode('') },
  ]);
  const task: Task = {
    setup: 'login',
    host: '127.0.0.1',
    port: 25,
    from: 'ann@example.org',
    to: ['bob@example.com'],
    message: encode(''),
    ca: '',
    user: 'probe',
    password: 'pencil',
    signal: new AbortController().signal,
  };
  const report = { verdicts: ['delivered'], each: true, unfinished: false, output: '' } as const;
  return { connections, task, stranger: false, report };
}

it.each([
  ['that is in order', `AUTH PLAIN ${SECRET}\r\n`, '334 \r\n', 0],
  ['that ends in LF', `AUTH PLAIN ${SECRET}\n`, '334 \r\n', 0],
  ['with a NUL', `AUTH PLAIN ${SECRET}\0\r\n`, '421 Later\r\n', 0],
  ['whose reply is not awaited', `AUTH PLAIN ${SECRET}\r\n`, '334 \r\n', 20],
  ['that is none', `AUTH\r\n${SECRET}\r\n`, '535 No\r\n', 0],
] as const)('AUTH %s is named, and not quoted', (_, sent, said, ahead) => {
  const seen = seenOf(sent, said, ahead);
  const words = RULES.map(({ judge }) => judge(seen)).filter((each) => each !== undefined);
  expect(words.length).toBeGreaterThan(2);
  expect([...words, ...dialogueOf(seen.connections)].join('\n')).not.toContain(SECRET);
});
