/** Time is real: what a script has wait for minutes waits for moments. */
import type { Moment, Script, Step, StepDetails, Steps } from '@sansmtp/testing';

/** Milliseconds that a generated server waits at most: enough to see who does not wait for it. */
export const LONGEST_PAUSE = 60;

function hurriedStep(step: Step): Step {
  if (typeof step !== 'object') return step;
  const { wait, stall, ...rest }: StepDetails = step;
  // Half a reply is waited for: the connection ends, so that the time-out need not be waited for.
  const isHalf = rest.octets !== undefined && rest.ending === undefined;
  return {
    ...rest,
    ...(isHalf && { ending: 'end' }),
    ...(wait !== undefined && { wait: wait % LONGEST_PAUSE }),
    ...(stall !== undefined && { stall: { after: stall.after, for: stall.for % LONGEST_PAUSE } }),
  };
}

/** What is offered is left out. */
export function hurried({ offers: _, ...script }: Script): Script {
  const moments = Object.entries(script) as [Moment, Steps][];
  return Object.fromEntries(
    moments.map(([moment, steps]) => [moment, ([steps].flat() as Step[]).map(hurriedStep)]),
  );
}
