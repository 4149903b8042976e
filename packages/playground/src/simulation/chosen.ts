/** What the applications of both ends do where somebody has chosen for them. */
import type { Answer } from '@sansmtp/core';
import type { Choice } from './choices.js';
import type { Errand } from './scenario.js';

type Chosen<Kind extends Choice['kind']> = Extract<Choice, { readonly kind: Kind }>;

const REFUSALS: Readonly<Record<number, Answer['reply']>> = {
  421: { code: 421, enhancedCode: '4.3.2', lines: ['Not now, and not in this session'] },
  450: { code: 450, enhancedCode: '4.2.0', lines: ['Not now; try again later'] },
};

export function answerOf({ decision, code }: Chosen<'answer'>): Answer {
  const reply = code === undefined ? undefined : REFUSALS[code];
  return { decision, ...(reply && decision === 'reject' && { reply }) };
}

const ENVELOPE = { from: 'ann@example.org', to: ['bob@example.com'] } as const;

export function errandOf(act: Chosen<'act'>['act']): Errand {
  switch (act) {
    case 'send':
      return { kind: 'send', envelope: ENVELOPE, message: 'Subject: One more\r\n\r\nAs chosen.\r\n' };
    case 'quit':
      return { kind: 'quit' };
    case 'noop':
      return { kind: 'inquire', inquiry: { verb: 'NOOP' } };
    case 'vrfy':
      return { kind: 'inquire', inquiry: { verb: 'VRFY', argument: 'bob' } };
  }
}
