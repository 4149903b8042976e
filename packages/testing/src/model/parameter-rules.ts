/** Parameters of MAIL and RCPT: which service extension defines them, and what values they take. */
import type { Form } from './command-grammar.js';

interface ParameterRule {
  /** The EHLO keyword that offers it. */
  readonly offeredBy: string;
  readonly form: (value: string) => Form;
}

const of = (isValid: boolean): Form => (isValid ? 'valid' : 'invalid');

/** RFC 3461 §4. "=" for itself and digits in lower case are against the grammar, and are written: a server may take them. */
function xtextForm(text: string): Form {
  if (!/^(?:[!-*,-~]|\+[\dA-Fa-f]{2})+$/.test(text)) return 'invalid';
  return /^(?:[!-*,-<>-~]|\+[\dA-F]{2})+$/.test(text) ? 'valid' : 'odd';
}

/** RFC 3461 §4.1. */
function notifyForm(value: string): Form {
  const words = value.toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return 'valid';
  const known = words.every((word) => word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY');
  if (!known) return 'invalid';
  return new Set(words).size === words.length ? 'valid' : 'odd';
}

const MAIL: Readonly<Record<string, ParameterRule>> = {
  SIZE: { offeredBy: 'SIZE', form: (value) => of(/^\d{1,20}$/.test(value)) },
  BODY: {
    offeredBy: '8BITMIME',
    form: (value) => of(/^(?:7BIT|8BITMIME|BINARYMIME)$/i.test(value)),
  },
  SMTPUTF8: { offeredBy: 'SMTPUTF8', form: (value) => of(value === '') },
  RET: { offeredBy: 'DSN', form: (value) => of(/^(?:FULL|HDRS)$/i.test(value)) },
  ENVID: { offeredBy: 'DSN', form: xtextForm },
  // What the mailbox in it is worth, the server decides (RFC 4954 §5).
  AUTH: { offeredBy: 'AUTH', form: (value) => (value === '<>' ? 'valid' : xtextForm(value)) },
};

const RCPT: Readonly<Record<string, ParameterRule>> = {
  NOTIFY: { offeredBy: 'DSN', form: notifyForm },
  ORCPT: {
    offeredBy: 'DSN',
    form(value) {
      const semicolon = value.indexOf(';');
      const isTyped = /^[a-z0-9-]+$/i.test(value.slice(0, Math.max(0, semicolon)));
      return isTyped ? xtextForm(value.slice(semicolon + 1)) : 'invalid';
    },
  },
};

/** What the model makes of them: `unknown` if there is one that the server offers nothing for. */
export function parametersForm(
  verb: 'MAIL' | 'RCPT',
  parameters: ReadonlyMap<string, string>,
  offers: ReadonlyMap<string, string>,
): Form | 'unknown' {
  const rules = verb === 'MAIL' ? MAIL : RCPT;
  let form: Form | 'unknown' = 'valid';
  for (const [keyword, value] of parameters) {
    const rule = rules[keyword];
    const binary = keyword === 'BODY' && value.toUpperCase() === 'BINARYMIME';
    if (rule === undefined || !offers.has(binary ? 'BINARYMIME' : rule.offeredBy)) {
      // An extension that the model does not know may have defined it.
      if (rule !== undefined || !mayDefine(offers)) return 'unknown';
      form = form === 'valid' ? 'odd' : form;
    } else if (rule.form(value) === 'invalid') form = 'invalid';
    else if (rule.form(value) === 'odd' && form === 'valid') form = 'odd';
  }
  return form;
}

/** The EHLO keywords that the model knows, with those that define no parameter. */
const KNOWN = new Set([
  ...['SIZE', '8BITMIME', 'SMTPUTF8', 'DSN', 'AUTH', 'BINARYMIME', 'PIPELINING', 'CHUNKING'],
  ...['STARTTLS', 'ENHANCEDSTATUSCODES', 'HELP', 'VRFY', 'EXPN', 'ETRN', 'LIMITS', 'XCLIENT', 'XFORWARD'],
]);

const mayDefine = (offers: ReadonlyMap<string, string>): boolean =>
  [...offers.keys()].some((keyword) => !KNOWN.has(keyword));
