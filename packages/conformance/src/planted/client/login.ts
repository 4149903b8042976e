/** The small client logs in, by PLAIN or LOGIN (RFC 4954, RFC 4616). */
import type { Task } from '../../clients/contract.js';
import type { Reply } from './reply-reader.js';
import { GivenUp, type Wire } from './wire.js';

/** @param mechanisms the parameter of the keyword AUTH */
export async function logIn(wire: Wire, task: Task, mechanisms: string): Promise<void> {
  const offered = mechanisms.toUpperCase().split(' ');
  const mechanism = wire.has('mechanism-unoffered')
    ? 'PLAIN'
    : ['PLAIN', 'LOGIN'].find((name) => offered.includes(name));
  if (mechanism === undefined) {
    if (wire.has('auth-skipped')) return;
    throw new GivenUp('failed', 'no mechanism of ours is offered');
  }
  const reply = await exchange(wire, task, mechanism);
  if (reply.code >= 200 && reply.code < 300) {
    if (wire.has('auth-twice')) await exchange(wire, task, mechanism);
    return;
  }
  if (wire.has('auth-failure-ignored') && reply.code >= 500) return;
  const words = wire.has('secret-in-errors') ? ` for ${task.user}:${task.password}` : '';
  throw wire.giveUp(reply, `AUTH${words}`);
}

async function exchange(wire: Wire, { user, password }: Task, mechanism: string): Promise<Reply> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const identity = wire.has('plain-without-identity') ? '' : '\0';
  const answers = wire.has('login-swapped') ? [password, user] : [user, password];
  let reply = await wire.ask(
    mechanism === 'PLAIN' ? `AUTH PLAIN ${base64(`${identity}${user}\0${password}`)}` : 'AUTH LOGIN',
  );
  for (let count = 0; count < 100; count++) {
    const goesOn = reply.code === 334 || (wire.has('login-goes-on') && mechanism === 'LOGIN' && count === 1);
    if (!goesOn) return reply;
    const challenge = reply.lines[0] ?? '';
    const isAsked = mechanism === 'LOGIN' && count < 2 && /^[\w+/]*=*$/.test(challenge);
    const cancels = !isAsked && !wire.has('challenges-without-end') && reply.code === 334;
    reply = await wire.ask(cancels ? '*' : base64(answers[count] ?? ''));
    if (cancels) return reply;
  }
  return reply;
}
