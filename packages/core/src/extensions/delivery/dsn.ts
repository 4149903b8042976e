/**
 * DSN (RFC 3461): when the sender wants to be notified, and what a notification should hold. To a server without it
 * the mail goes all the same (RFC 3461 §5.2.2).
 *
 * RFC 3461 limits a parameter's length (§4.2, §4.4). No limit but the line's holds here, for both ends: what was received
 * can be passed on.
 */
import type { ParameterRule, ServiceExtension } from '../contract/extension.js';
import type { MailParameters, RcptParameters } from '../contract/parameters.js';
import { malformedParameter } from '../values/malformed-parameter.js';
import { decodeXtext, encodeXtext } from '../values/xtext.js';

/** By how much the parameters may lengthen a line (RFC 3461 §4.2, §4.4). */
const ENVID_OCTETS = 100;
const ORCPT_OCTETS = 500;

/** Without the control characters of ASCII, which a notification would carry into its header. */
function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return text !== '';
}

/** RFC 3461 §4.2: an atom. `=` would be one's character too, but cannot stand in a value. */
function isAddressType(text: string): boolean {
  return /^[\w!#$%&'*+/?^`{|}~-]+$/.test(text);
}

const ret: ParameterRule<MailParameters> = {
  keyword: 'RET',
  parse(value) {
    const upperCase = value?.toUpperCase();
    if (upperCase === 'FULL' || upperCase === 'HDRS') return { ret: upperCase };
    return malformedParameter('RET takes FULL or HDRS');
  },
  format: (parameters) => parameters.ret,
};

const envid: ParameterRule<MailParameters> = {
  keyword: 'ENVID',
  parse(value = '') {
    const envid = decodeXtext(value);
    if (envid !== undefined && envid !== '') return { envid };
    return malformedParameter('ENVID takes xtext, without control characters');
  },
  format({ envid }) {
    if (envid === undefined) return undefined;
    if (isPrintable(envid)) return encodeXtext(envid);
    throw new RangeError(
      `${JSON.stringify(envid)} is no envelope identifier: text without control characters (RFC 3461 §4.4)`,
    );
  },
};

const NOTIFY_WORDS = ['SUCCESS', 'FAILURE', 'DELAY'] as const;

const notify: ParameterRule<RcptParameters> = {
  keyword: 'NOTIFY',
  parse(value = '') {
    const words = value.toUpperCase().split(',');
    if (words.length === 1 && words[0] === 'NEVER') return { notify: 'NEVER' };
    const wanted = NOTIFY_WORDS.filter((word) => words.includes(word));
    if (words.every((word) => wanted.some((one) => one === word))) return { notify: wanted };
    return malformedParameter('NOTIFY takes NEVER, or any of SUCCESS, FAILURE and DELAY with commas between');
  },
  format(parameters) {
    if (parameters.notify === undefined || parameters.notify === 'NEVER') return parameters.notify;
    if (parameters.notify.length > 0) return parameters.notify.join(',');
    throw new RangeError(`An empty notify cannot be written: for no notification at all it is 'NEVER'`);
  },
};

const isUtf8 = (addressType: string): boolean => addressType.toLowerCase() === 'utf-8';

/**
 * The text of an address of the type utf-8, as each of the forms of RFC 6533 §3 spells it: UTF-8 as it is, a code point as
 * `\\x{…}`, and xtext besides. Undefined where it spells none, or a control character.
 */
function decodeUtf8Address(written: string): string | undefined {
  let isText = true;
  const address = written.replace(/\\x\{([\dA-Fa-f]{1,6})\}/g, (_, digits: string) => {
    const codePoint = Number.parseInt(digits, 16);
    isText &&= codePoint <= 0x10ffff && !isSurrogate(codePoint);
    return isText ? String.fromCodePoint(codePoint) : '';
  });
  return isText ? address : undefined;
}

/** `utf-8-addr-xtext` (RFC 6533 §3), which is ASCII, so that any server with DSN takes it. */
function encodeUtf8Address(address: string): string {
  let written = '';
  for (const character of address) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (/[!-*,-<>-[\]-~]/.test(character)) written += character;
    else
      written += `\\x{${(isSurrogate(codePoint) ? 0xfffd : codePoint).toString(16).toUpperCase().padStart(2, '0')}}`;
  }
  return written;
}

/** Half of a character, which no text in UTF-8 can have. */
function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

function decodeAddress(addressType: string, written: string): string | undefined {
  if (!isUtf8(addressType)) return decodeXtext(written);
  const parts = written.match(/[\0-\x7f]+|[^\0-\x7f]+/g) ?? [];
  let text = '';
  for (const part of parts) {
    const decoded = part.charCodeAt(0) < 0x80 ? decodeXtext(part) : part;
    if (decoded === undefined) return undefined;
    text += decoded;
  }
  return decodeUtf8Address(text);
}

/** An error in an address, as one in the forward-path is: the original recipient's. */
export const malformedOriginalRecipient = malformedParameter(
  'ORCPT takes an address type, ";" and xtext, without control characters',
);

const orcpt: ParameterRule<RcptParameters> = {
  keyword: 'ORCPT',
  parse(value = '') {
    const semicolon = value.indexOf(';');
    const addressType = value.slice(0, Math.max(semicolon, 0));
    const address = decodeAddress(addressType, value.slice(semicolon + 1));
    if (isAddressType(addressType) && address !== undefined && isPrintable(address)) {
      return { orcpt: { addressType, address } };
    }
    return malformedOriginalRecipient;
  },
  format(parameters) {
    if (parameters.orcpt === undefined) return undefined;
    const { addressType, address } = parameters.orcpt;
    if (isAddressType(addressType) && isPrintable(address)) {
      return `${addressType};${isUtf8(addressType) ? encodeUtf8Address(address) : encodeXtext(address)}`;
    }
    throw new RangeError(
      `${JSON.stringify(`${addressType};${address}`)} is no original recipient: an address type such as rfc822, and ` +
        'an address without control characters (RFC 3461 §4.2, RFC 6533 §3)',
    );
  },
};

export const dsn: ServiceExtension = {
  keyword: 'DSN',
  // RFC 3461 §2 gives no numbers; RFC 5321 §4.5.3.1.4 asks for what the parameters may take.
  additionalMailOctets: ' RET=FULL ENVID='.length + ENVID_OCTETS,
  additionalRcptOctets: ' NOTIFY=SUCCESS,FAILURE,DELAY ORCPT='.length + ORCPT_OCTETS,
  mailParameters: [ret, envid],
  rcptParameters: [notify, orcpt],
};
