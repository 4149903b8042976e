/**
 * DSN (RFC 3461): when the sender wants to be notified, and what a notification should hold. To a server without it
 * the mail goes all the same (RFC 3461 §5.2.2).
 *
 * RFC 3461 limits a parameter's length (§4.2, §4.4); whether with its keyword, it leaves open. The limits count the
 * value here, which is the larger reading, for both ends: what was received can be passed on.
 */
import type { ParameterRule, ServiceExtension } from './extension.js';
import { malformedParameter } from './malformed-parameter.js';
import type { MailParameters, RcptParameters } from './parameters.js';
import { decodeXtext, encodeXtext } from './xtext.js';

const MAXIMUM_ENVID_LENGTH = 100;
const MAXIMUM_ORCPT_LENGTH = 500;

/** RFC 3461 §4.2, §4.4: printable characters and white space of ASCII, before they are encoded. */
function isPrintable(text: string): boolean {
  return /^[\t -~]+$/.test(text);
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
    const text = value.length <= MAXIMUM_ENVID_LENGTH ? decodeXtext(value) : undefined;
    if (text !== undefined && isPrintable(text)) return { envid: text };
    return malformedParameter(
      `ENVID takes xtext of printable ASCII, ${MAXIMUM_ENVID_LENGTH} characters at most`,
    );
  },
  format(parameters) {
    if (parameters.envid === undefined) return undefined;
    const value = encodeXtext(parameters.envid);
    if (isPrintable(parameters.envid) && value.length <= MAXIMUM_ENVID_LENGTH) return value;
    throw new RangeError(
      `${JSON.stringify(parameters.envid)} is no envelope identifier: printable ASCII that takes 1 to ` +
        `${MAXIMUM_ENVID_LENGTH} characters as xtext (RFC 3461 §4.4)`,
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

/** RFC 6533 §3: behind `utf-8` UTF-8 may stand as it is, or as `\x{…}`; it is the latter from here on. */
function withoutUtf8(addressType: string, address: string): string {
  if (addressType.toLowerCase() !== 'utf-8') return address;
  return address.replace(/[^\0-\x7f]/gu, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return `\\x{${codePoint.toString(16).toUpperCase()}}`;
  });
}

const orcpt: ParameterRule<RcptParameters> = {
  keyword: 'ORCPT',
  parse(value = '') {
    const semicolon = value.indexOf(';');
    const addressType = value.slice(0, Math.max(semicolon, 0));
    const address = decodeXtext(withoutUtf8(addressType, value.slice(semicolon + 1)));
    const wellFormed = isAddressType(addressType) && address !== undefined && isPrintable(address);
    if (wellFormed && value.length <= MAXIMUM_ORCPT_LENGTH) return { orcpt: { addressType, address } };
    return malformedParameter(
      `ORCPT takes an address type, ";" and xtext of printable ASCII, ${MAXIMUM_ORCPT_LENGTH} characters at most`,
    );
  },
  format(parameters) {
    if (parameters.orcpt === undefined) return undefined;
    const { addressType, address } = parameters.orcpt;
    const value = `${addressType};${encodeXtext(address)}`;
    const wellFormed = isAddressType(addressType) && isPrintable(address);
    if (wellFormed && value.length <= MAXIMUM_ORCPT_LENGTH) return value;
    throw new RangeError(
      `${JSON.stringify(`${addressType};${address}`)} is no original recipient: an address type such as rfc822, and ` +
        `an address of printable ASCII, ${MAXIMUM_ORCPT_LENGTH} characters at most as xtext (RFC 3461 §4.2)`,
    );
  },
};

export const dsn: ServiceExtension = {
  keyword: 'DSN',
  // RFC 3461 §2 gives no numbers; RFC 5321 §4.5.3.1.4 asks for what the parameters may take.
  additionalMailOctets: ' RET=FULL ENVID='.length + MAXIMUM_ENVID_LENGTH,
  additionalRcptOctets: ' NOTIFY=SUCCESS,FAILURE,DELAY ORCPT='.length + MAXIMUM_ORCPT_LENGTH,
  mailParameters: [ret, envid],
  rcptParameters: [notify, orcpt],
};
