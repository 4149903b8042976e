/** Logs in, so that mail is taken. The cases of AUTH itself speak for themselves. */
import type { Credentials } from '../contract/target.js';
import type { Dialogue } from '../dialogue/dialogue.js';
import { CannotJudge } from '../dialogue/findings.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** @throws {CannotJudge} no mechanism is offered that needs no more than the password, or we are not let in */
export async function logIn(dialogue: Dialogue, { user, password }: Credentials): Promise<void> {
  const mechanisms = (dialogue.offers.get('AUTH') ?? '').toUpperCase().split(' ');
  if (mechanisms.includes('PLAIN')) {
    await dialogue.need('AUTH PLAIN', '334');
    dialogue.saySecretly(base64(`\0${user}\0${password}`));
  } else if (mechanisms.includes('LOGIN')) {
    await dialogue.need('AUTH LOGIN', '334');
    dialogue.saySecretly(base64(user));
    await dialogue.needReply('334');
    dialogue.saySecretly(base64(password));
  } else throw new CannotJudge('the server offers neither AUTH PLAIN nor AUTH LOGIN');
  await dialogue.needReply('235');
}
