/**
 * The service extensions of a connection, in smtp-server's order and with its words where a parameter is wrong. One that
 * an option hides is taken all the same, as there.
 */
import {
  type MailParameters,
  type ParameterRule,
  type RcptParameters,
  type Reply,
  requireTls,
  type ServiceExtension,
  standardExtensions,
} from '@sansmtp/core';
import { decodeXtext } from '../addresses/address.js';
import type { SMTPServerAddressArgs, SMTPServerOptions } from '../types.js';

/** What the offer depends on, as it is when EHLO is answered. */
export interface Standing {
  readonly options: SMTPServerOptions;
  readonly secure: boolean;
  readonly authenticated: boolean;
  isDisabled(command: string): boolean;
  mayUse(command: 'XCLIENT' | 'XFORWARD'): boolean;
}

function standard(keyword: string): ServiceExtension {
  const extension = standardExtensions.find((one) => one.keyword === keyword);
  if (extension === undefined) throw new Error(`There is no service extension ${keyword}`);
  return extension;
}

const refuse = (code: number, enhancedCode: string, text: string): Reply => ({
  code,
  enhancedCode,
  lines: [text],
});

/** The rule, which refuses a value with smtp-server's reply. */
function reworded<Parameters extends object>(
  rule: ParameterRule<Parameters>,
  text: (value: string | undefined) => string,
): ParameterRule<Parameters> {
  return {
    ...rule,
    parse(value, standing) {
      if (value === undefined && !FLAGS.has(rule.keyword)) {
        return refuse(501, '5.5.4', `Error: ${rule.keyword} parameter requires a value`);
      }
      const read = rule.parse(value, standing);
      return 'code' in read ? refuse(501, '5.5.4', text(value)) : read;
    },
  };
}

/** Parameters without a value. */
const FLAGS = new Set(['SMTPUTF8', 'REQUIRETLS']);

const TEXTS: Readonly<Record<string, (value: string | undefined) => string>> = {
  BODY: () => 'Invalid BODY parameter value. Must be 7BIT or 8BITMIME',
  SMTPUTF8: () => 'Invalid SMTPUTF8 parameter. This flag does not accept a value',
  RET: () => 'Invalid RET parameter value. Must be FULL or HDRS',
  ENVID: () => 'Error: Bad ENVID parameter syntax',
  ORCPT: () => 'Error: Bad ORCPT parameter syntax',
  NOTIFY: (value = '') =>
    /(?:^|,)NEVER(?:,|$)/i.test(value) && /^(?:(?:NEVER|SUCCESS|FAILURE|DELAY)(?:,|$))+$/i.test(value)
      ? 'Error: NOTIFY=NEVER cannot be combined with other values'
      : 'Error: NOTIFY parameter must be NEVER, SUCCESS, FAILURE, or DELAY',
};

function withTexts(extension: ServiceExtension): ServiceExtension {
  const { mailParameters = [], rcptParameters = [] } = extension;
  const rewordedRules = <Parameters extends object>(rules: readonly ParameterRule<Parameters>[]) =>
    rules.map((rule) => {
      const text = TEXTS[rule.keyword];
      return text === undefined ? rule : reworded(rule, text);
    });
  return {
    ...extension,
    mailParameters: rewordedRules(mailParameters),
    rcptParameters: rewordedRules(rcptParameters),
  };
}

const PIPELINING = standard('PIPELINING');
const EIGHT_BIT_MIME = withTexts(standard('8BITMIME'));
const SMTP_UTF8 = withTexts(standard('SMTPUTF8'));
const ENHANCED_STATUS_CODES = standard('ENHANCEDSTATUSCODES');
const DSN = withTexts(standard('DSN'));
const AUTH = standard('AUTH');
const STARTTLS = standard('STARTTLS');
const SIZE = standard('SIZE');

function size({ options }: Standing): ServiceExtension {
  const limit = Number(options.size) || 0;
  const [rule] = SIZE.mailParameters ?? [];
  if (rule === undefined) throw new Error('SIZE has no parameter');
  const parse: typeof rule.parse = (value, standing) => {
    if (value === undefined) return refuse(501, '5.5.4', 'Error: SIZE parameter requires a value');
    const read = rule.parse(value, standing);
    if ('code' in read) return refuse(501, '5.5.4', 'Error: Bad message size syntax');
    // RFC 1870 §6.1
    if (limit === 0 || options.hideSize || (read.size ?? 0) <= limit) return read;
    return refuse(552, '5.3.4', `Error: message exceeds fixed maximum message size ${limit}`);
  };
  const offer = options.hideSize ? '' : String(limit);
  return { ...SIZE, hidden: limit === 0, offer: () => offer, mailParameters: [{ ...rule, parse }] };
}

/** Hidden in the clear, but known: RFC 8689 §4.1 has a reply of its own for a client that asks for it there. */
function requiringTls(standing: Standing): ServiceExtension {
  const [rule] = requireTls.mailParameters ?? [];
  if (rule === undefined) throw new Error('REQUIRETLS has no parameter');
  const parse: typeof rule.parse = (value, session) => {
    if (!standing.secure) return refuse(530, '5.7.0', 'REQUIRETLS not permitted on non-TLS connections');
    const read = rule.parse(value, session);
    if (!('code' in read)) return read;
    return refuse(501, '5.5.4', 'Invalid REQUIRETLS parameter. This flag does not accept a value');
  };
  return {
    ...requireTls,
    get hidden() {
      return standing.options.hideREQUIRETLS === true || !standing.secure;
    },
    offer: () => '',
    mailParameters: [{ ...rule, parse }],
  };
}

/** Those of which smtp-server knows. */
const ATTRIBUTES = {
  XCLIENT: 'NAME ADDR PORT PROTO HELO LOGIN',
  XFORWARD: 'NAME ADDR PORT PROTO HELO IDENT SOURCE',
};

export function serviceExtensions(standing: Standing): readonly ServiceExtension[] {
  const { options } = standing;
  const proxied = (command: 'XCLIENT' | 'XFORWARD'): ServiceExtension => {
    const extension = standard(command);
    return {
      ...extension,
      offer: (session) =>
        standing.mayUse(command) && extension.offer?.(session) !== undefined
          ? ATTRIBUTES[command]
          : undefined,
    };
  };
  return [
    { ...PIPELINING, hidden: options.hidePIPELINING === true },
    { ...EIGHT_BIT_MIME, hidden: options.hide8BITMIME === true },
    { ...SMTP_UTF8, hidden: options.hideSMTPUTF8 === true },
    { ...ENHANCED_STATUS_CODES, hidden: options.hideENHANCEDSTATUSCODES === true },
    { ...DSN, hidden: options.hideDSN === true },
    {
      ...AUTH,
      offer: (session) =>
        standing.isDisabled('AUTH') || standing.authenticated ? undefined : AUTH.offer?.(session),
    },
    {
      ...STARTTLS,
      hidden: options.hideSTARTTLS === true,
      offer: (session) => (standing.isDisabled('STARTTLS') ? undefined : STARTTLS.offer?.(session)),
    },
    requiringTls(standing),
    size(standing),
    proxied('XCLIENT'),
    proxied('XFORWARD'),
  ];
}

function argsOf<Parameters>(
  rules: readonly ParameterRule<Parameters>[],
  parameters: Parameters,
): SMTPServerAddressArgs | false {
  const args: SMTPServerAddressArgs = {};
  for (const { keyword, format } of rules) {
    const value = format(parameters, '');
    if (value !== undefined) args[keyword] = value === true ? true : decodeXtext(value);
  }
  return Object.keys(args).length > 0 ? args : false;
}

const MAIL_RULES = [SIZE, EIGHT_BIT_MIME, SMTP_UTF8, requireTls, DSN, AUTH].flatMap(
  ({ mailParameters = [] }) => mailParameters,
);
const RCPT_RULES = DSN.rcptParameters ?? [];

/** The parameters of MAIL by keyword, as the client wrote them. */
export function mailArguments(parameters: MailParameters): SMTPServerAddressArgs | false {
  return argsOf(MAIL_RULES, parameters);
}

/** The parameters of RCPT by keyword, as the client wrote them. */
export function rcptArguments(parameters: RcptParameters): SMTPServerAddressArgs | false {
  return argsOf(RCPT_RULES, parameters);
}
