/** What stands behind MAIL and RCPT: a path and its parameters. Each way to read it wrongly is a fault. */
import type { Flags } from './faults.js';

export interface ReadArgument {
  /** The mailbox; empty for the null reverse-path. */
  readonly mailbox: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Enhanced status code and text of a refusal. */
export type Refusal = string;

export function readArgument(verb: 'MAIL' | 'RCPT', argument: string, has: Flags): ReadArgument | Refusal {
  const word = verb === 'MAIL' ? 'FROM:' : 'TO:';
  const given = argument.slice(0, word.length);
  if ((has('from-needs-capitals') ? given : given.toUpperCase()) !== word) return '501 5.5.4 No path';
  const rest = argument.slice(word.length);
  if (!rest.startsWith('<')) return '501 5.1.7 A path stands in angle brackets';
  const end = endOfPath(rest, has);
  if (end === undefined) return '501 5.1.7 The path is not closed';
  const mailbox = mailboxOf(verb, rest.slice(1, end), has);
  if (mailbox === undefined) return `501 5.1.${verb === 'MAIL' ? 7 : 3} That is no path`;
  const behind = rest.slice(end + 1).trimEnd();
  if (behind !== '' && !behind.startsWith(' ') && !has('text-behind-path-taken'))
    return '501 5.5.4 Something stands behind the path';
  const parameters = new Map<string, string>();
  for (const each of behind.startsWith(' ') ? behind.slice(1).split(' ') : []) {
    const [, keyword = '', value = ''] = /^([a-z0-9][a-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?$/i.exec(each) ?? [];
    if (keyword === '' || (each.includes('=') && value === '')) return '501 5.5.4 That is no parameter';
    const name = has('keywords-need-capitals') ? keyword : keyword.toUpperCase();
    if (parameters.has(name)) return '501 5.5.4 A parameter stands there twice';
    parameters.set(name, value);
  }
  return { mailbox, parameters };
}

function endOfPath(text: string, has: Flags): number | undefined {
  let quoted = false;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\' && quoted) at++;
    else if (text[at] === '"') quoted = !quoted;
    else if (text[at] === '>' && (!quoted || has('quoted-bracket-ends-path'))) return at;
  }
  if (!has('unclosed-path-taken')) return undefined;
  const blank = text.indexOf(' ');
  return blank < 0 ? text.length : blank;
}

function mailboxOf(verb: 'MAIL' | 'RCPT', path: string, has: Flags): string | undefined {
  if (path === '')
    return verb === 'MAIL'
      ? has('null-path-refused')
        ? undefined
        : ''
      : has('null-recipient-taken')
        ? ''
        : undefined;
  if (verb === 'RCPT' && /^postmaster$/i.test(path)) {
    if (has('postmaster-refused') || (has('postmaster-needs-capital') && path !== 'Postmaster'))
      return undefined;
    return path;
  }
  if (path.startsWith('@')) {
    const colon = path.indexOf(':');
    const route = path.slice(0, colon).split(',');
    if (has('source-route-refused') || colon < 0) return undefined;
    if (!route.every((hop) => hop.startsWith('@') && isDomain(hop.slice(1), has))) return undefined;
    return mailbox(path.slice(colon + 1), has);
  }
  if (
    has('recipient-without-domain-taken') &&
    verb === 'RCPT' &&
    !path.includes('@') &&
    isLocalPart(path, has)
  )
    return path;
  return mailbox(path, has);
}

function mailbox(text: string, has: Flags): string | undefined {
  const at = text.startsWith('"') ? endOfQuotes(text) : text.indexOf('@');
  if (at <= 0 || text[at] !== '@') return undefined;
  return isLocalPart(text.slice(0, at), has) && isDomain(text.slice(at + 1), has) ? text : undefined;
}

function endOfQuotes(text: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

/** UTF-8 octets are one character each here. */
function isLocalPart(text: string, has: Flags): boolean {
  if (text.length > (has('local-part-of-64-refused') ? 63 : 64)) return false;
  if (text.startsWith('"')) return !has('quoted-local-part-refused') && endOfQuotes(text) === text.length;
  const atext = has('special-atext-refused')
    ? /^[a-z0-9\x80-\xff]+$/i
    : /^[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+$/i;
  return text.split('.').every((atom) => atext.test(atom));
}

export function isDomain(text: string, has: Flags): boolean {
  if (text.startsWith('[')) return !has('address-literal-refused') && isLiteral(text, has);
  if (text.length > 255) return false;
  return text.split('.').every((label) => {
    if (label.length === 0 || label.length > (has('label-of-63-refused') ? 62 : 63)) return false;
    return /^[a-z0-9\x80-\xff-]+$/i.test(label) && !label.startsWith('-') && !label.endsWith('-');
  });
}

function isLiteral(text: string, has: Flags): boolean {
  if (!text.endsWith(']')) return false;
  const inner = text.slice(1, -1);
  if (!/^IPv6:/i.test(inner)) return isIpv4(inner);
  if (has('ipv6-literal-refused')) return false;
  const address = inner.slice(5);
  const [head = '', tail, ...more] = address.split('::');
  if (more.length > 0) return false;
  const groups = [head, tail ?? ''].flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const count = groups.length + (last.includes('.') ? 1 : 0);
  if (tail === undefined ? count !== 8 : count > 7) return false;
  return groups.every(
    (group, index) => /^[0-9a-f]{1,4}$/i.test(group) || (index === groups.length - 1 && isIpv4(group)),
  );
}

const isIpv4 = (text: string): boolean => {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
};

export const SIZE_LIMIT = 70_000;

const isXtext = (text: string): boolean => text !== '' && /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/.test(text);

/** The parameters of MAIL. Undefined: they are all right. */
export function mailRefusal(
  { mailbox, parameters }: ReadArgument,
  hasExtensions: boolean,
  has: Flags,
): Refusal | undefined {
  const size = parameters.get('SIZE');
  for (const [keyword, value] of parameters) {
    if (!hasExtensions) return '555 5.5.4 No parameters without EHLO';
    switch (keyword) {
      case 'SIZE':
        if (!/^\d{1,20}$/.test(value) && !has('declared-size-malformed-taken'))
          return '501 5.5.4 SIZE takes a number';
        break;
      case 'BODY': {
        const known = /^(?:7BIT|8BITMIME|BINARYMIME)$/i.test(value) || has('body-unknown-taken');
        if (!known || (/^8BITMIME$/i.test(value) && has('body-8bitmime-refused')))
          return '501 5.5.4 BODY is unknown';
        break;
      }
      case 'SMTPUTF8':
        if (value !== '') return '501 5.5.4 SMTPUTF8 takes no value';
        break;
      case 'RET':
        if (!/^(?:FULL|HDRS)$/i.test(value) && !has('ret-unknown-taken'))
          return '501 5.5.4 RET is FULL or HDRS';
        if (/^HDRS$/i.test(value) && has('ret-refused')) return '501 5.5.4 RET is FULL';
        break;
      case 'ENVID':
        if (!isXtext(value) && !has('envid-malformed-taken')) return '501 5.5.4 ENVID is xtext';
        break;
      case 'AUTH':
        if (has(value === '<>' ? 'auth-parameter-refused' : 'auth-mailbox-refused')) return '501 5.5.4 AUTH?';
        if (value !== '<>' && !isXtext(value)) return '501 5.5.4 AUTH is xtext';
        break;
      default:
        if (!has('unknown-parameter-ignored')) return '555 5.5.4 That parameter is unknown';
    }
  }
  if (size !== undefined && Number(size) > SIZE_LIMIT - (has('declared-size-off-by-one') ? 1 : 0)) {
    return '552 5.3.4 Too large';
  }
  return utf8Refusal(mailbox, parameters.has('SMTPUTF8'), has);
}

/** The parameters of RCPT. */
export function rcptRefusal(
  { mailbox, parameters }: ReadArgument,
  { extensions, utf8 }: { readonly extensions: boolean; readonly utf8: boolean },
  has: Flags,
): Refusal | undefined {
  for (const [keyword, value] of parameters) {
    if (!extensions) return '555 5.5.4 No parameters without EHLO';
    if (keyword === 'NOTIFY') {
      const words = value.toUpperCase().split(',');
      const known = words.every((word) => ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'].includes(word));
      if (!known && !has('notify-unknown-taken')) return '501 5.5.4 NOTIFY is unknown';
      if (words.includes('NEVER') && words.length > 1 && !has('notify-never-and-more-taken'))
        return '501 5.5.4 NEVER stands alone';
      if (new Set(words).size < words.length) return '501 5.5.4 NOTIFY has a word twice';
    } else if (keyword === 'ORCPT') {
      const semicolon = value.indexOf(';');
      const typed = semicolon > 0 && isXtext(value.slice(semicolon + 1));
      if (!typed && !has('orcpt-without-type-taken')) return '501 5.5.4 ORCPT has an address type';
    } else if (!has('unknown-parameter-ignored')) return '555 5.5.4 That parameter is unknown';
  }
  return utf8Refusal(mailbox, utf8, has);
}

function utf8Refusal(mailbox: string, utf8: boolean, has: Flags): Refusal | undefined {
  if (!/[\x80-\xff]/.test(mailbox)) return undefined;
  if (Buffer.from(mailbox, 'latin1').toString('utf8').includes('\ufffd')) return '501 5.5.2 That is no UTF-8';
  if (utf8) return has('utf8-refused') ? '550 5.6.7 ASCII only' : undefined;
  return has('utf8-without-parameter-taken') ? undefined : '553 5.6.7 Not without SMTPUTF8';
}
