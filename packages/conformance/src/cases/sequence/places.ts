/** Where a session stands when a demand is made of it. */
import type { ConformanceCase } from '../../contract/case.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { Deviation } from '../../dialogue/findings.js';
import { shown } from '../../dialogue/seen-reply.js';

export type Place = 'greeted' | 'hello' | 'ready' | 'mailed' | 'addressed';

export const WHERE: Readonly<Record<Place, string>> = {
  greeted: 'before EHLO',
  hello: 'after EHLO',
  ready: 'between two transactions',
  mailed: 'after MAIL',
  addressed: 'after RCPT',
};

export const isInTransaction = (place: Place) => place === 'mailed' || place === 'addressed';

/** A demand that is made at several places of a session. */
export function at(
  places: readonly Place[],
  name: string,
  demand: Pick<ConformanceCase, 'section' | 'level'> & { readonly rationale: (where: string) => string },
  judge: (dialogue: Dialogue, target: Target) => Promise<void>,
): ConformanceCase[] {
  return places.map((place) => ({
    id: `sequence/${name}-${WHERE[place].toLowerCase().replaceAll(' ', '-')}`,
    section: demand.section,
    level: demand.level,
    rationale: demand.rationale(WHERE[place]),
    ...(isInTransaction(place) && { needs: ['mail'] as const }),
    run: async (target) => judge(await target[place](), target),
  }));
}

/** DATA, and if it is accepted, the end of the message: what must not be accepted is judged to the end. */
export async function takesNoMessage(dialogue: Dialogue): Promise<void> {
  dialogue.say('DATA');
  const reply = await dialogue.reply('3yz or 4yz or 5yz');
  if (reply.code >= 400) return;
  dialogue.say('.');
  const end = await dialogue.reply('any');
  if (end.code < 400) throw new Deviation(`a message without recipients was accepted: ${shown(end)}`);
}
