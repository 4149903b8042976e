/** The form of each command: valid lines that are to be understood, and near-valid ones that are not (RFC 5321 §4.1). */
import type { CaseGroup } from '../../contract/case.js';
import { anyCase, hello, malformedLines, parameters, trailingSpace, withArguments } from './lines.js';
import { hostileOctets, invalidPaths, recipients, validReversePaths } from './paths.js';

export const syntax: CaseGroup = {
  name: 'syntax',
  title: 'The form of commands',
  introduction:
    'Valid lines that have to be understood, and near-valid ones that have to be refused (RFC 5321 §4.1). To accept what the grammar lacks is a matter of INTEROP at most, unless the addressee is at stake.',
  remedy:
    'Read the line by the grammar of RFC 5321 §4.1.2; answer 501 to a malformed argument, 500 to an unknown verb.',
  cases: [
    {
      id: 'syntax/mail-null-reverse-path',
      section: 'RFC 5321 §4.5.5',
      level: 'MUST',
      rationale: 'MAIL takes <>, the reverse-path of all notifications.',
      needs: ['mail'],
      run: async (target) => void (await (await target.ready()).ask('MAIL FROM:<>', '250')),
    },
    ...validReversePaths,
    ...anyCase,
    ...trailingSpace,
    ...hello,
    ...withArguments,
    ...recipients,
    ...malformedLines,
    ...invalidPaths('mail'),
    ...invalidPaths('rcpt'),
    ...parameters('mail'),
    ...parameters('rcpt'),
    ...hostileOctets,
  ],
};
