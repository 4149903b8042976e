/** Where AUTH is offered, and whoever may use it. */
import type { ConformanceCase, Need } from '../../contract/case.js';
import type { Credentials, Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { CannotJudge } from '../../dialogue/findings.js';
import { logIn } from '../../running/login.js';

export const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');

/** The mechanisms that were offered after the last EHLO. */
export const mechanismsOf = (dialogue: Dialogue): readonly string[] =>
  (dialogue.offers.get('AUTH') ?? '').toUpperCase().split(' ');

/** After EHLO, where something is offered: under TLS if there is any, as no password goes out in the clear then. */
async function offeringIt(target: Target, isOffered: (dialogue: Dialogue) => boolean, what: string) {
  const dialogue = await target.hello();
  if (dialogue.offers.has('STARTTLS')) {
    await dialogue.need('STARTTLS', '220');
    await dialogue.startTls();
    await dialogue.hello(target.helloLine);
  }
  if (isOffered(dialogue)) return dialogue;
  throw new CannotJudge(`${what} is not offered`);
}

/** After EHLO, where a mechanism is offered. */
export async function offering(target: Target, mechanism: string): Promise<[Dialogue, Credentials]> {
  const { credentials } = target;
  if (credentials === undefined) throw new CannotJudge('no credentials were given');
  const isOffered = (dialogue: Dialogue) => mechanismsOf(dialogue).includes(mechanism);
  return [await offeringIt(target, isOffered, `AUTH ${mechanism}`), credentials];
}

/** Where AUTH is offered and MAIL may come. */
export async function readyForMail(target: Target): Promise<Dialogue> {
  const dialogue = await offeringIt(target, ({ offers }) => offers.has('AUTH'), 'AUTH');
  const { credentials, survey } = target;
  if (survey.entry.authenticate && credentials !== undefined) await logIn(dialogue, credentials);
  return dialogue;
}

/** Says a response that no transcript has, and judges the reply. */
export async function respond(dialogue: Dialogue, response: string | Uint8Array, codes: string) {
  dialogue.saySecretly(base64(response));
  return dialogue.reply(codes);
}

type About = readonly [name: string, section: string, level: ConformanceCase['level']];

/** A case about a mechanism: it begins where that is offered. */
export function authCase(
  [name, section, level]: About,
  rationale: string,
  mechanism: string,
  run: (dialogue: Dialogue, credentials: Credentials, target: Target) => Promise<unknown>,
  needs: readonly Need[] = [],
): ConformanceCase {
  return {
    id: `auth/${name}`,
    section,
    level,
    rationale,
    needs: ['credentials', ...needs],
    async run(target) {
      const [dialogue, credentials] = await offering(target, mechanism);
      await run(dialogue, credentials, target);
    },
  };
}
