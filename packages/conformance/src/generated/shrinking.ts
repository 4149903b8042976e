/**
 * Makes a dialogue shorter as long as it still fails: steps, lines of groups and what is sent behind messages are left out
 * one after the other. Every try is a session with the server, so their number is bounded.
 */
import { type GeneratedDialogue, WHOLE } from './dialogues.js';
import { type GeneratedStep, mailDataOf } from './steps.js';

/** Tries at most. */
const MOST_TRIES = 150;

export async function shrink(
  dialogue: GeneratedDialogue,
  fails: (dialogue: GeneratedDialogue) => Promise<boolean>,
): Promise<GeneratedDialogue> {
  let shortest = dialogue;
  let tries = 0;
  const attempt = async (candidate: GeneratedDialogue): Promise<boolean> => {
    if (tries++ >= MOST_TRIES || !(await fails(candidate))) return false;
    shortest = candidate;
    return true;
  };
  await attempt({ ...shortest, chunks: WHOLE });
  for (let size = shortest.steps.length; size >= 1; size = size > 1 ? Math.floor(size / 2) : 0) {
    for (let at = 0; at < shortest.steps.length; ) {
      const steps = [...shortest.steps.slice(0, at), ...shortest.steps.slice(at + size)];
      if (!(await attempt({ ...shortest, steps }))) at += size;
    }
  }
  for (let at = 0; at < shortest.steps.length; at++) {
    for (let changed = true; changed; ) {
      changed = false;
      for (const simpler of simplerSteps(shortest.steps[at])) {
        const steps = shortest.steps.with(at, simpler);
        changed = await attempt({ ...shortest, steps });
        if (changed) break;
      }
    }
  }
  return shortest;
}

function* simplerSteps(step: GeneratedStep | undefined): Generator<GeneratedStep> {
  if (step?.kind !== 'lines') return;
  const { lines, message } = step;
  if (lines.length > 2) yield { ...step, lines: lines.slice(Math.floor(lines.length / 2)) };
  if (lines.length > 1)
    for (let at = 0; at < lines.length; at++) yield { ...step, lines: lines.toSpliced(at, 1) };
  if (message === undefined) return;
  if (message.behind !== undefined) yield { ...step, message: { octets: message.octets } };
  if (message.octets.length > 3) yield { ...step, message: mailDataOf(new Uint8Array()) };
}
