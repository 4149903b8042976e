/**
 * What is watched, as the hash of a URL, so that a link shows it again: `#s=happy&at=12&do=7.reject.550`.
 *
 * - `s` is the scenario and `at` the step; `seg=octets` has each octet arrive by itself, and `cut=c57` cuts what the
 *   client sends after 57 octets; each `do` is a choice, its turn first.
 * - What is left out has its default. What cannot be read is left out: a link may be old, or mistyped.
 */
import type { Choice, Segmentation } from '../simulation/choices.js';
import type { End } from '../simulation/ends.js';

/** What is watched. */
export interface Watched {
  /** The id of a scenario; undefined: whatever the page begins with. */
  readonly scenario: string | undefined;
  readonly step: number;
  readonly segmentation: Segmentation;
  readonly choices: readonly Choice[];
}

/** More than anybody makes by hand. */
const MOST_CHOICES = 50;
const MOST_CUTS = 100;
const LONGEST_TEXT = 1000;

export function formatHash({ scenario, step, segmentation, choices }: Watched): string {
  const fields = new URLSearchParams();
  if (scenario !== undefined) fields.set('s', scenario);
  if (step > 0) fields.set('at', String(step));
  if (segmentation.mode !== 'whole') fields.set('seg', segmentation.mode);
  const cuts = [
    ...segmentation.cuts.client.map((offset) => `c${offset}`),
    ...segmentation.cuts.server.map((offset) => `s${offset}`),
  ];
  if (cuts.length > 0) fields.set('cut', cuts.join('.'));
  for (const choice of choices) fields.append('do', formatChoice(choice));
  const text = fields.toString();
  return text === '' ? '' : `#${text}`;
}

/** @param hash with or without its `#` */
export function parseHash(hash: string): Watched {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const cuts: Record<End, number[]> = { client: [], server: [] };
  for (const cut of (fields.get('cut') ?? '').split('.').slice(0, MOST_CUTS)) {
    const [, letter, digits = ''] = /^([cs])(\d{1,9})$/.exec(cut) ?? [];
    if (letter !== undefined) cuts[letter === 'c' ? 'client' : 'server'].push(Number(digits));
  }
  return {
    scenario: fields.get('s') ?? undefined,
    step: count(fields.get('at')) ?? 0,
    segmentation: { mode: fields.get('seg') === 'octets' ? 'octets' : 'whole', cuts },
    choices: fields
      .getAll('do')
      .slice(0, MOST_CHOICES)
      .flatMap((text) => parseChoice(text) ?? []),
  };
}

function formatChoice(choice: Choice): string {
  return [choice.turn, ...wordsOf(choice)].join('.');
}

function wordsOf(choice: Choice): readonly (string | number)[] {
  switch (choice.kind) {
    case 'say':
      return ['say', choice.from, choice.text];
    case 'answer':
      return choice.code === undefined ? [choice.decision] : [choice.decision, choice.code];
    case 'wait':
      return ['wait', choice.end];
    case 'delay':
      return ['delay', choice.from, choice.milliseconds];
    case 'close':
      return ['close', choice.from];
    case 'act':
      return ['act', choice.act];
    case 'drop':
    case 'shutdown':
    case 'failTls':
      return [choice.kind];
  }
}

function parseChoice(written: string): Choice | undefined {
  const [, digits, kind, first = '', rest = ''] =
    /^(\d{1,6})\.([a-zA-Z]+)(?:\.([a-z\d]+))?(?:\.(.*))?$/s.exec(written) ?? [];
  const turn = count(digits);
  if (turn === undefined) return undefined;
  const end = first === 'client' || first === 'server' ? first : undefined;
  switch (kind) {
    case 'say':
      return end && rest !== '' ? { turn, kind, from: end, text: latin1(rest) } : undefined;
    case 'accept':
      return { turn, kind: 'answer', decision: kind };
    case 'reject': {
      const code = count(first);
      return { turn, kind: 'answer', decision: kind, ...(code !== undefined && { code }) };
    }
    case 'wait':
      return end && { turn, kind, end };
    case 'delay': {
      const milliseconds = count(rest);
      return end && milliseconds !== undefined ? { turn, kind, from: end, milliseconds } : undefined;
    }
    case 'close':
      return end && { turn, kind, from: end };
    case 'act':
      return first === 'send' || first === 'quit' || first === 'noop' || first === 'vrfy'
        ? { turn, kind, act: first }
        : undefined;
    case 'drop':
    case 'shutdown':
    case 'failTls':
      return { turn, kind };
    default:
      return undefined;
  }
}

function count(digits: string | null | undefined): number | undefined {
  return typeof digits === 'string' && /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

/** One character an octet, as on the wire. */
function latin1(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(/[^\0-\xff]/g, '?');
}
