/** Delivery status notifications on request (RFC 3461). */
import type { CaseGroup, ConformanceCase } from '../contract/case.js';
import { refuses } from './judging.js';

/** verb, name, parameter, section */
const VALID: readonly (readonly ['mail' | 'rcpt', string, string, string])[] = [
  ['mail', 'ret-full', 'RET=FULL', '§4.3'],
  ['mail', 'ret-hdrs', 'RET=HDRS', '§4.3'],
  ['mail', 'ret-in-lower-case', 'ret=hdrs', '§4.3'],
  ['mail', 'envid', 'ENVID=QQ314159', '§4.4'],
  ['mail', 'envid-with-xtext', 'ENVID=a+2Bb+3D', '§4.4'],
  ['rcpt', 'notify-never', 'NOTIFY=NEVER', '§4.1'],
  ['rcpt', 'notify-success', 'NOTIFY=SUCCESS', '§4.1'],
  ['rcpt', 'notify-several', 'NOTIFY=SUCCESS,FAILURE,DELAY', '§4.1'],
  ['rcpt', 'notify-in-lower-case', 'notify=failure,delay', '§4.1'],
  ['rcpt', 'orcpt', 'ORCPT=rfc822;bob@example.com', '§4.2'],
  ['rcpt', 'orcpt-with-xtext', 'ORCPT=rfc822;a+2Bb@example.com', '§4.2'],
];

const INVALID: readonly (readonly ['mail' | 'rcpt', string, string, string])[] = [
  ['mail', 'ret-unknown', 'RET=ALL', '§4.3'],
  ['mail', 'ret-empty', 'RET=', '§4.3'],
  ['mail', 'envid-with-half-an-escape', 'ENVID=a+2', '§4.4'],
  ['mail', 'envid-in-lower-case', 'ENVID=a+2b', '§4'],
  ['rcpt', 'notify-never-and-more', 'NOTIFY=NEVER,SUCCESS', '§4.1'],
  ['rcpt', 'notify-unknown', 'NOTIFY=SOON', '§4.1'],
  ['rcpt', 'notify-empty', 'NOTIFY=', '§4.1'],
  ['rcpt', 'orcpt-without-type', 'ORCPT=bob@example.com', '§4.2'],
  ['rcpt', 'orcpt-in-lower-case', 'ORCPT=rfc822;a+2bb@example.com', '§4'],
  ['rcpt', 'orcpt-with-half-an-escape', 'ORCPT=rfc822;a+2', '§4.2'],
];

const valid = VALID.map(
  ([verb, name, parameter, section]): ConformanceCase => ({
    id: `dsn/${name}`,
    section: `RFC 3461 ${section}`,
    level: 'MUST',
    rationale: `The parameter ${parameter} belongs to ${verb.toUpperCase()} where DSN is offered.`,
    needs: ['DSN', 'mail'],
    async run(target) {
      const dialogue = verb === 'mail' ? await target.ready() : await target.mailed();
      await dialogue.ask(target[verb](parameter), '250 or 251 or 4yz');
    },
  }),
);

const invalid = INVALID.map(
  ([verb, name, parameter, section]): ConformanceCase => ({
    id: `dsn/${name}-refused`,
    section: `RFC 3461 ${section}`,
    level: 'INTEROP',
    rationale: `The parameter ${parameter} is against the grammar: taken, it would be passed on or silently lost.`,
    needs: ['DSN', 'mail'],
    async run(target) {
      const dialogue = verb === 'mail' ? await target.ready() : await target.mailed();
      await refuses(dialogue, target[verb](parameter));
    },
  }),
);

export const dsn: CaseGroup = {
  name: 'dsn',
  title: 'DSN',
  introduction: 'The parameters RET and ENVID of MAIL, NOTIFY and ORCPT of RCPT (RFC 3461).',
  remedy:
    'Read the parameters by the grammar of RFC 3461 §4, keywords in either case, and refuse what it lacks by 501.',
  cases: [...valid, ...invalid],
};
