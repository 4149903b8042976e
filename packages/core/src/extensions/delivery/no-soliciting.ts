/**
 * NO-SOLICITING (RFC 3865): the server names classes of solicitations that it does not want, the client those to
 * which its message belongs. Whether one is refused, the application decides, recipient by recipient.
 */
import { checkList, outOfRange } from '../../option-checks.js';
import { checkObject } from '../../option-names.js';
import type { ServiceExtension } from '../contract/extension.js';
import { malformedParameter } from '../values/malformed-parameter.js';

/** All keywords together, with the commas between (RFC 3865 §2.2). */
const MAXIMUM_LENGTH = 1000;

/** What a reply line of 512 octets (RFC 5321 §4.5.3.1.5) leaves for them. */
const MAXIMUM_OFFER_LENGTH = 512 - '250-NO-SOLICITING \r\n'.length;

/** RFC 3865 §2.2 `word`. */
function isKeyword(text: string): boolean {
  return /^[A-Za-z][\w.:-]*$/.test(text);
}

/** What a server says with NO-SOLICITING (RFC 3865 §2.1). */
export interface NoSolicitingOptions {
  /** Solicitation class keywords, such as `org.example:ADV`; none: only the parameter SOLICIT is offered. */
  readonly keywords: readonly string[];
}

/**
 * NO-SOLICITING (RFC 3865 §2): MAIL may name the classes of solicitations to which the message belongs.
 * @throws {RangeError} a keyword is none, or all of them together do not fit into a reply line
 */
export function noSoliciting(options: NoSolicitingOptions): ServiceExtension {
  checkObject('The option', options, ['keywords']);
  const keywords = checkList('keywords', options.keywords, 'solicitation class keywords');
  const offered = keywords.join(',');
  if (!keywords.every(isKeyword) || offered.length > MAXIMUM_OFFER_LENGTH) {
    throw outOfRange(
      'keywords',
      keywords,
      'words of letters, digits, ".", "-", "_" and ":" that begin with a letter, ' +
        `${MAXIMUM_OFFER_LENGTH} characters at most with the commas between (RFC 3865 §2.2)`,
    );
  }
  return {
    keyword: 'NO-SOLICITING',
    offer: () => offered,
    // RFC 3865 gives no number; RFC 5321 §4.5.3.1.4 asks for what the parameter may take.
    additionalMailOctets: ' SOLICIT='.length + MAXIMUM_LENGTH,
    mailParameters: [
      {
        keyword: 'SOLICIT',
        parse(value = '') {
          const solicit = value.split(',');
          if (value.length <= MAXIMUM_LENGTH && solicit.every(isKeyword)) return { solicit };
          return malformedParameter(
            `SOLICIT takes solicitation class keywords with commas between, ${MAXIMUM_LENGTH} characters at most`,
          );
        },
        format({ solicit }) {
          if (solicit === undefined || solicit.length === 0) return undefined;
          const value = solicit.join(',');
          if (solicit.every(isKeyword) && value.length <= MAXIMUM_LENGTH) return value;
          throw new RangeError(
            `${JSON.stringify(solicit)} are no solicitation class keywords: letters, digits, ".", "-", "_" and ":" ` +
              `behind a letter, ${MAXIMUM_LENGTH} characters at most with the commas between (RFC 3865 §2.2)`,
          );
        },
      },
    ],
  };
}
