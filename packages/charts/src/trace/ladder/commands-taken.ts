/** Which commands a state of the server's chart takes: those that it does not refuse out of hand. */
import type { ReplyTitle, StateDescription, TransitionDescription } from '@sansmtp/core';
import { chartOf } from '../chart-states.js';

/** Verbs that every server has, in the order of a session; the others come with a service extension. */
const COMMON = [
  'EHLO',
  'HELO',
  'MAIL',
  'RCPT',
  'DATA',
  'RSET',
  'QUIT',
  'NOOP',
  'HELP',
  'VRFY',
  'EXPN',
] as const;

const EXTENSION_VERBS: Readonly<Record<string, string>> = {
  STARTTLS: 'STARTTLS',
  AUTH: 'AUTH',
  CHUNKING: 'BDAT',
  ETRN: 'ETRN',
};

/** What a session is known to offer beside the commands of RFC 5321. */
export interface SpokenHere {
  readonly lmtp: boolean;
  /** EHLO keywords in upper case. */
  readonly keywords: ReadonlySet<string>;
}

/**
 * The verbs that are taken in this state, what leads on in the dialogue before what may come anywhere.
 * @param refusal the reply that was given here: what has it in store may be refused for the same reason
 */
export function commandsTakenIn(
  state: string,
  { lmtp, keywords }: SpokenHere,
  refusal?: string,
): readonly string[] {
  const lineage = lineageOf(state);
  const common = COMMON.flatMap((verb) =>
    lmtp ? (verb === 'EHLO' ? ['LHLO'] : verb === 'HELO' ? [] : [verb]) : [verb],
  );
  const extensions = Object.entries(EXTENSION_VERBS).flatMap(([keyword, verb]) =>
    keywords.has(keyword) ? [verb] : [],
  );
  const found = [...extensions, ...common].flatMap((verb) => {
    const depth = depthOf(`command.${verb}`, lineage, refusal);
    return depth === undefined ? [] : [{ verb, depth }];
  });
  return found.sort((a, b) => a.depth - b.depth).map(({ verb }) => verb);
}

/** The state and those that it stands in, innermost first. */
function lineageOf(path: string): readonly StateDescription[] {
  const lineage = [chartOf('server').root];
  for (;;) {
    const inner = lineage[0]?.states.find(
      (state) => path === state.path || path.startsWith(`${state.path}.`),
    );
    if (inner === undefined) return lineage;
    lineage.unshift(inner);
  }
}

/** How far out the command is taken; undefined: nowhere. */
function depthOf(
  event: string,
  lineage: readonly StateDescription[],
  refusal: string | undefined,
): number | undefined {
  for (const [depth, { transitions }] of lineage.entries()) {
    const candidates = [event, 'command.*'].flatMap((type) =>
      transitions.filter((each) => waitsFor(each, type)),
    );
    if (refusal !== undefined && candidates.some((transition) => repliesWith(transition, refusal)))
      return undefined;
    if (candidates.some((transition) => !refuses(transition))) return depth;
    // The last one without a guard takes it from all outer states.
    if (candidates.some(({ guard }) => guard === undefined)) return undefined;
  }
  return undefined;
}

function waitsFor({ trigger }: TransitionDescription, type: string): boolean {
  return trigger.kind === 'event' && trigger.type === type;
}

/** Replies of the session's own that do not refuse. */
const ACCEPTING: ReadonlySet<unknown> = new Set<ReplyTitle>(['ok', 'closing', 'chunkReceived']);

function refuses({ actions }: TransitionDescription): boolean {
  return actions.some(
    ({ name, params }) => name === 'refuse' || (name === 'reply' && !ACCEPTING.has(params?.reply)),
  );
}

function repliesWith({ actions }: TransitionDescription, title: string): boolean {
  return actions.some(({ params }) => params?.reply === title);
}
